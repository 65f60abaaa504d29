//! Dependencies, in every file that has them.

use expect_test::{Expect, expect};

use super::super::GuardName::Dependencies;
use super::sample::Sample;

#[expect(clippy::needless_pass_by_value, reason = "it is made for this one call")]
fn check((path, before, after): (&str, &str, &str), expected: Expect) {
    let sample = Sample::default().change(path, before, after);
    expected.assert_eq(&sample.say(Dependencies));
}

#[test]
fn a_cargo_manifest_is_compared_entry_by_entry() {
    check(
        (
            "crates/a/Cargo.toml",
            concat!(
                "[package]\nname = \"a\"\nversion = \"1.0.0\"\n[dependencies]\nserde = ",
                "\"1.0.1\"\nold = \"1\"\nmoved = \"2\"\n"
            ),
            concat!(
                "[package]\nname = \"a\"\nversion = \"1.0.1\"\n[dependencies]\nserde = ",
                "{ version = \"1.0.2\", features = [\"rc\"] }\nmoved = { git = \"https:",
                "//example.com/m\", rev = \"abc\" }\n[target.'cfg(unix)'.dev-dependenci",
                "es]\nalias = { package = \"left-pad\", version = \"0.1\" }\n[patch.cra",
                "tes-io]\nsyn = { path = \"../syn\" }\n"
            ),
        ),
        expect![[r#"
            hold crates/a/Cargo.toml:8 `left-pad` 0.1 is a new dependency, and the plan does not name it.
            hold crates/a/Cargo.toml:6 `moved` comes from another place: 2 → (git https://example.com/m, rev abc).
            hold crates/a/Cargo.toml:10 `syn` (path ../syn, patch) is a new dependency, and the plan does not name it.
            flag crates/a/Cargo.toml:6 `old` 1 is no dependency any more.
            flag crates/a/Cargo.toml:5 `serde` is another version: 1.0.1 → 1.0.2.
        "#]],
    );
}

#[test]
fn a_planned_dependency_is_only_flagged() {
    let mut sample = Sample::planned(&["Cargo.toml"]).change(
        "Cargo.toml",
        "[dependencies]\n",
        "[dependencies]\nSerde = \"1\"\n[workspace.dependencies]\nregex = \"1\"\n",
    );
    sample.contract.as_mut().unwrap().dependencies.push("serde".to_owned());
    expect![[r#"
        hold Cargo.toml:4 `regex` 1 is a new dependency, and the plan does not name it.
        flag Cargo.toml:2 `Serde` 1 is new, as planned.
    "#]]
    .assert_eq(&sample.say(Dependencies));
}

#[test]
fn a_cargo_lock_that_changes_alone_is_held_for_new_packages() {
    let head = "version = 4\n[[package]]\nname = \"own\"\nversion = \"0.1.0\"\n";
    let package = |name: &str, version: &str, checksum: &str| {
        format!(
            "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{checksum}\"\n"
        )
    };
    let before = format!("{head}{}{}", package("a", "1.0.0", "aa"), package("b", "1.0.0", "bb"));
    let after = format!(
        "{head}{}{}{}",
        package("a", "1.0.0", "changed"),
        package("b", "1.1.0", "b2"),
        package("new", "0.1.0", "cc")
    );
    let sample = Sample::default().change("Cargo.lock", &before, &after);
    expect![[r#"
        hold Cargo.lock `a` 1.0.0 is locked to another source or checksum than before, with the same version.
        hold Cargo.lock `Cargo.lock` has new packages, though no file that asks for dependencies was changed: `new` 0.1.0.
        flag Cargo.lock `Cargo.lock` has other versions: `b` 1.0.0 → 1.1.0.
    "#]]
    .assert_eq(&sample.say(Dependencies));
    let sample = sample.change("Cargo.toml", "[dependencies]\n", "[dependencies]\n[features]\n");
    expect![[r#"
        hold Cargo.lock `a` 1.0.0 is locked to another source or checksum than before, with the same version.
        flag Cargo.lock `Cargo.lock` has new packages: `new` 0.1.0.
        flag Cargo.lock `Cargo.lock` has other versions: `b` 1.0.0 → 1.1.0.
    "#]]
    .assert_eq(&sample.say(Dependencies));
}

#[test]
fn a_package_json_is_compared_with_its_scripts_of_installing() {
    check(
        (
            "package.json",
            r#"{"dependencies": {"react": "^18.0.0"}, "devDependencies": {"jest": "29"}}"#,
            r#"{"dependencies": {"react": "^19.0.0", "event-stream": "3.3.6"},
 "devDependencies": {"jest": "github:evil/jest"},
 "scripts": {"postinstall": "node x.js", "test": "jest"}}"#,
        ),
        expect![[r#"
            hold package.json:1 `event-stream` 3.3.6 is a new dependency, and the plan does not name it.
            hold package.json:2 `jest` comes from another place: 29 → (github:evil/jest).
            hold package.json `scripts.postinstall` (node x.js) is a new dependency, and the plan does not name it.
            flag package.json:1 `react` is another version: ^18.0.0 → ^19.0.0.
        "#]],
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "one case after the other")]
fn the_lock_files_of_node_are_read() {
    let npm = |version: &str, host: &str, sum: &str| {
        format!(
            r#"{{"lockfileVersion": 3, "packages": {{"": {{"name": "own", "version": "1.0.0"}}, "packages/part": {{"version": "1.0.0"}}, "node_modules/@a/b": {{"version": "{version}", "resolved": "https://{host}/b.tgz", "integrity": "sha512-{sum}"}}}}}}"#
        )
    };
    check(
        (
            "package-lock.json",
            &npm("1.0.0", "registry.npmjs.org", "x"),
            &npm("1.0.0", "evil.example", "x"),
        ),
        expect![[r#"
            hold package-lock.json:1 `@a/b` 1.0.0 is locked to another source or checksum than before, with the same version.
            flag package-lock.json `package-lock.json` has other versions: `@a/b` 1.0.0 → 1.0.0 (https://evil.example/b.tgz).
        "#]],
    );
    check(
        (
            "package-lock.json",
            r#"{"lockfileVersion": 1, "dependencies": {"a": {"version": "1.0.0"}}}"#,
            concat!(
                r#"{"lockfileVersion": 1, "dependencies": {"a": {"version": "1.0.0", "dep"#,
                r#"endencies": {"deep": {"version": "2.0.0"}}}}}"#
            ),
        ),
        expect![[r#"
            hold package-lock.json `package-lock.json` has new packages, though no file that asks for dependencies was changed: `deep` 2.0.0.
        "#]],
    );
    check(
        (
            "yarn.lock",
            concat!(
                "# yarn lockfile v1\n\n\"@a/b@^1.0.0\", \"@a/b@^1.1.0\":\n  version \"1",
                ".1.0\"\n  resolved \"https:/",
                "/registry.yarnpkg.com/x#abc\"\n  integrity sha512-x\n"
            ),
            concat!(
                "# yarn lockfile v1\n\n\"@a/b@^1.0.0\", \"@a/b@^1.1.0\":\n  version \"1",
                ".2.0\"\n  resolved \"https:/",
                "/registry.yarnpkg.com/x#abd\"\n  integrity sha512-y\n\nc@1:\n  version",
                " \"1.0.0\"\n\n\"own@workspace:.\":\n  version: 0.0.0-use.local\n"
            ),
        ),
        expect![[r#"
            hold yarn.lock `yarn.lock` has new packages, though no file that asks for dependencies was changed: `c` 1.0.0.
            flag yarn.lock `yarn.lock` has other versions: `@a/b` 1.1.0 → 1.2.0.
        "#]],
    );
    check(
        (
            "pnpm-lock.yaml",
            concat!(
                "lockfileVersion: '9.0'\n\npackages:\n\n  '@a/b@1.0.0':\n    resolution",
                ": {integrity: sha512-x}\n\nsnapshots:\n\n  'x@1.0.0': {}\n"
            ),
            concat!(
                "lockfileVersion: '9.0'\n\npackages:\n\n  '@a/b@1.0.0':\n    resolution",
                ": {integrity: sha512-z}\n\n  /c@2.0.0(react@18.0.0):\n    resolution: ",
                "{integrity: sha512-y}\n\nsnapshots:\n\n  'x@1.0.0': {}\n  'y@1.0.0': {",
                "}\n"
            ),
        ),
        expect![[r#"
            hold pnpm-lock.yaml `@a/b` 1.0.0 is locked to another source or checksum than before, with the same version.
            hold pnpm-lock.yaml `pnpm-lock.yaml` has new packages, though no file that asks for dependencies was changed: `c` 2.0.0.
        "#]],
    );
    check(
        (
            "bun.lock",
            "{\n  \"packages\": {\n    \"a\": [\"a@1.0.0\", \"\", {}, \"sha512-x\"],\n  }\n}\n",
            concat!(
                "{\n  \"packages\": {\n    \"a\": [\"a@1.0.1\", \"\", {}, \"sha512-y\"]",
                ",\n    \"own\": [\"own@workspace:own\"],\n  }\n}\n"
            ),
        ),
        expect![[r#"
            flag bun.lock `bun.lock` has other versions: `a` 1.0.0 → 1.0.1.
        "#]],
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "one case after the other")]
fn python_is_read_in_all_of_its_files() {
    check(
        (
            "requirements-dev.txt",
            "requests==2.31.0  # http\n# comment\nflask[async]>=2 ; python_version > '3.8'\n",
            concat!(
                "--extra-index-url https://evil.example/simple\nrequests==2.32.0 --hash",
                "=sha256:abc\nFlask>=2 ; python_version > '3.8'\nleft_pad @ https://evi",
                "l.example/x.whl\n"
            ),
        ),
        expect![[r#"
            hold requirements-dev.txt:1 `--extra-index-url` (--extra-index-url https://evil.example/simple) is a new dependency, and the plan does not name it.
            hold requirements-dev.txt:4 `left-pad` (https://evil.example/x.whl) is a new dependency, and the plan does not name it.
            flag requirements-dev.txt:3 `flask` is another version: [async]>=2 ; python_version > '3.8' → >=2 ; python_version > '3.8'.
            flag requirements-dev.txt:2 `requests` is another version: ==2.31.0 → ==2.32.0.
        "#]],
    );
    check(
        (
            "pyproject.toml",
            concat!(
                "[project]\ndependencies = [\"httpx>=0.27\"]\n[tool.setuptools]\npackag",
                "es = [\"own\"]\n"
            ),
            concat!(
                "[project]\ndependencies = [\"httpx>=0.28\"]\n[project.optional-depende",
                "ncies]\ncli = [\"click\"]\n[dependency-groups]\ndev = [\"pytest>8\"]",
                "\n[build-system]\nrequires = [\"hatchling\"]\n[tool.setuptools]\npacka",
                "ges = [\"own\", \"own.sub\"]\n[tool.uv.sources]\nhttpx = { git = \"htt",
                "ps://example.com/h\" }\n"
            ),
        ),
        expect![[r#"
            hold pyproject.toml:4 `click` (any version) is a new dependency, and the plan does not name it.
            hold pyproject.toml:8 `hatchling` (any version) is a new dependency, and the plan does not name it.
            hold pyproject.toml:2 `httpx` comes from another place: >=0.27 → ({ git = "https://example.com/h" }), >=0.28.
            hold pyproject.toml:6 `pytest` >8 is a new dependency, and the plan does not name it.
        "#]],
    );
    check(
        (
            "pyproject.toml",
            "[tool.poetry.dependencies]\npython = \"^3.9\"\n",
            concat!(
                "[tool.poetry.dependencies]\npython = \"^3.9\"\n[tool.poetry.group.dev.",
                "dependencies]\nblack = { version = \"24\", source = \"mine\" }\n"
            ),
        ),
        expect![[r#"
            hold pyproject.toml:4 `black` 24 (source mine) is a new dependency, and the plan does not name it.
        "#]],
    );
    check(
        (
            "setup.cfg",
            "[options]\ninstall_requires =\n    a>=1\n[options.extras_require]\nx = b\n",
            concat!(
                "[options]\npackages = find:\ninstall_requires =\n    a>=1\n    c\n[opt",
                "ions.extras_require]\nx =\n    b\n    d\n"
            ),
        ),
        expect![[r#"
            hold setup.cfg:5 `c` (any version) is a new dependency, and the plan does not name it.
            hold setup.cfg:9 `d` (any version) is a new dependency, and the plan does not name it.
        "#]],
    );
    check(
        (
            "setup.py",
            "setup(install_requires=['a>=1'])\n",
            "setup(install_requires=['a>=1', \"evil\"], extras_require={'x': ['more']})\n",
        ),
        expect![[r#"
            hold setup.py:1 `evil` (any version) is a new dependency, and the plan does not name it.
            hold setup.py:1 `more` (any version) is a new dependency, and the plan does not name it.
            hold setup.py:1 `x` (any version) is a new dependency, and the plan does not name it.
        "#]],
    );
    check(
        (
            "Pipfile",
            "[packages]\na = \"*\"\n",
            concat!(
                "[[source]]\nurl = \"https://evil.example\"\n[packages]\na = \"*\"\n[de",
                "v-packages]\nb = {git = \"https://example.com/b\"}\n"
            ),
        ),
        expect![[r#"
            hold Pipfile:6 `b` (git https://example.com/b) is a new dependency, and the plan does not name it.
            hold Pipfile `package index` ({ url = "https://evil.example" }) is a new dependency, and the plan does not name it.
        "#]],
    );
}

#[test]
fn the_lock_files_of_python_are_read() {
    check(
        (
            "uv.lock",
            concat!(
                "[[package]]\nname = \"own\"\nversion = \"1\"\nsource = { editable = ",
                "\".\" }\n[[package]]\nname = \"a\"\nversion = \"1.0\"\nsource = { regi",
                "stry = \"https:/",
                "/pypi.org/simple\" }\nsdist = { hash = \"sha256:1\" }\n"
            ),
            concat!(
                "[[package]]\nname = \"own\"\nversion = \"2\"\nsource = { editable = ",
                "\".\" }\n[[package]]\nname = \"a\"\nversion = \"1.0\"\nsource = { regi",
                "stry = \"https://evil.example/simple\" }\nsdist = { hash = \"sha256:1",
                "\" }\n"
            ),
        ),
        expect![[r#"
            hold uv.lock `a` 1.0 is locked to another source or checksum than before, with the same version.
            flag uv.lock `uv.lock` has other versions: `a` 1.0 → 1.0 (https://evil.example/simple).
        "#]],
    );
    check(
        (
            "Pipfile.lock",
            r#"{"_meta": {}, "default": {"a": {"version": "==1.0"}}}"#,
            r#"{"_meta": {"x": 1}, "default": {}, "develop": {"b": {"version": "==1.0"}}}"#,
        ),
        expect![[r#"
            hold Pipfile.lock `Pipfile.lock` has new packages, though no file that asks for dependencies was changed: `b` ==1.0.
            flag Pipfile.lock `Pipfile.lock` has packages no more: `a` ==1.0.
        "#]],
    );
}

#[test]
fn go_is_read() {
    check(
        (
            "go.mod",
            "module example.com/own\n\ngo 1.22\n\nrequire example.com/a v1.0.0\n",
            concat!(
                "module example.com/own\n\ngo 1.23\n\nrequire (\n\texample.com/a v1.1.0",
                "\n\texample.com/b v0.1.0 // indirect\n)\n\nreplace example.com/a => ..",
                "/a\n"
            ),
        ),
        expect![[r#"
            hold go.mod:6 `example.com/a` comes from another place: v1.0.0 → (replaced by ../a), v1.1.0.
            hold go.mod:7 `example.com/b` v0.1.0 is a new dependency, and the plan does not name it.
        "#]],
    );
    check(
        (
            "go.sum",
            "example.com/a v1.0.0 h1:one=\nexample.com/a v1.0.0/go.mod h1:two=\n",
            concat!(
                "example.com/a v1.0.0 h1:other=\nexample.com/a v1.0.0/go.mod h1:two=\ne",
                "xample.com/b v1.0.0/go.mod h1:three=\n"
            ),
        ),
        expect![[r#"
            hold go.sum:1 `example.com/a` v1.0.0 is locked to another source or checksum than before, with the same version.
        "#]],
    );
}

#[test]
fn maven_and_gradle_are_read() {
    let pom = |version: &str, more: &str| {
        format!(
            "<?xml version=\"1.0\"?>\n<!-- <dependency> -->\n<project>\n<properties><a.version>{version}</a.version></properties>\n<dependencies>\n<dependency>\n<groupId>org.a</groupId><artifactId>a</artifactId><version>${{a.version}}</version>\n<exclusions><exclusion><groupId>x</groupId><artifactId>y</artifactId></exclusion></exclusions>\n</dependency>\n{more}</dependencies>\n</project>\n"
        )
    };
    let more = concat!(
        "<dependency><groupId>org.evil</groupId><artifactId>b</artifactId><vers",
        "ion>1</version></dependency>\n<plugin><artifactId>maven-exec</artifact",
        "Id></plugin>\n"
    );
    check(
        ("pom.xml", &pom("1.0", ""), &pom("1.1", more)),
        expect![[r#"
            hold pom.xml:10 `org.evil:b` 1 is a new dependency, and the plan does not name it.
            hold pom.xml:11 `plugin org.apache.maven.plugins:maven-exec` (any version) is a new dependency, and the plan does not name it.
            flag pom.xml:4 `org.a:a` is another version: 1.0 → 1.1.
        "#]],
    );
    check(
        (
            "app/build.gradle.kts",
            concat!(
                "plugins {\n    id(\"java\") version \"1\"\n}\ndependencies {\n    impl",
                "ementation(\"g:a:1.0\")\n}\n"
            ),
            concat!(
                "plugins {\n    id(\"java\") version \"2\"\n}\ndependencies {\n    impl",
                "ementation(\"g:a:1.1\")\n    testImplementation 'g:b:2.0'\n    println",
                "(\"no:dependency:1\")\n}\n"
            ),
        ),
        expect![[r#"
            hold app/build.gradle.kts:6 `g:b` 2.0 is a new dependency, and the plan does not name it.
            flag app/build.gradle.kts:5 `g:a` is another version: 1.0 → 1.1.
            flag app/build.gradle.kts:2 `plugin java` is another version: 1 → 2.
        "#]],
    );
    check(
        ("gradle.lockfile", "# note\ng:a:1.0=compile\nempty=\n", "g:a:1.1=compile\nempty=\n"),
        expect![[r#"
            flag gradle.lockfile `gradle.lockfile` has other versions: `g:a` 1.0 → 1.1.
        "#]],
    );
    check(
        (
            "gradle/libs.versions.toml",
            "[versions]\nk = \"1\"\n[libraries]\na = { module = \"g:a\", version.ref = \"k\" }\n",
            concat!(
                "[versions]\nk = \"2\"\n[libraries]\na = { module = \"g:a\", version.re",
                "f = \"k\" }\nb = { group = \"g\", name = \"b\", version = \"3\" }\n[pl",
                "ugins]\np = \"org.p:1\"\n"
            ),
        ),
        expect![[r#"
            hold gradle/libs.versions.toml:5 `g:b` 3 is a new dependency, and the plan does not name it.
            hold gradle/libs.versions.toml:7 `org.p:1` (any version) is a new dependency, and the plan does not name it.
            flag gradle/libs.versions.toml `g:a` is another version: 1 → 2.
        "#]],
    );
}

#[test]
fn ruby_is_read() {
    check(
        (
            "Gemfile",
            concat!("source \"https:/", "/rubygems.org\"\ngem \"rails\", \"~> 7.0\"\n"),
            concat!(
                "source \"https:/",
                "/rubygems.org\"\ngem \"rails\", \"~> 7.1\"\ngem 'evil', git: 'https://",
                "example.com/evil'\n"
            ),
        ),
        expect![[r#"
            hold Gemfile:3 `evil` (https://example.com/evil) is a new dependency, and the plan does not name it.
            flag Gemfile:2 `rails` is another version: ~> 7.0 → ~> 7.1.
        "#]],
    );
    check(
        (
            "own.gemspec",
            "Gem::Specification.new do |s|\nend\n",
            concat!(
                "Gem::Specification.new do |s|\n  s.add_dependency \"rack\", \">= 2",
                "\"\n  s.add_development_dependency('rake')\nend\n"
            ),
        ),
        expect![[r#"
            hold own.gemspec:2 `rack` >= 2 is a new dependency, and the plan does not name it.
            hold own.gemspec:3 `rake` (any version) is a new dependency, and the plan does not name it.
        "#]],
    );
    check(
        (
            "Gemfile.lock",
            concat!(
                "PATH\n  remote: .\n  specs:\n    own (1.0)\n\nGEM\n  remote: https:/",
                "/rubygems.org/\n  specs:\n    rack (2.0)\n      deep (>= 1)\n\nDEPENDE",
                "NCIES\n  rack\n"
            ),
            concat!(
                "PATH\n  remote: .\n  specs:\n    own (1.1)\n\nGEM\n  remote: https://e",
                "vil.example/\n  specs:\n    rack (2.0)\n      deep (>= 1)\n    new (1.",
                "0)\n\nDEPENDENCIES\n  rack\n"
            ),
        ),
        expect![[r#"
            hold Gemfile.lock `Gemfile.lock` has new packages, though no file that asks for dependencies was changed: `new` 1.0 (https://evil.example/).
            flag Gemfile.lock `Gemfile.lock` has other versions: `rack` 2.0 → 2.0 (https://evil.example/).
        "#]],
    );
}

#[test]
fn what_cannot_be_read_is_held() {
    for (path, broken) in [
        ("Cargo.toml", "[dependencies\n"),
        ("package.json", "{"),
        ("package.json", "[]"),
        ("package-lock.json", "[1]"),
        ("pom.xml", "<a><b></a></b>"),
        ("pom.xml", "<!DOCTYPE x [<!ENTITY y \"z\">]><a></a>"),
        ("pom.xml", "<project>"),
        ("uv.lock", "= ="),
        ("Pipfile.lock", "3"),
    ] {
        let said = Sample::default().change(path, "", broken).say(Dependencies);
        assert!(said.contains("cannot be read"), "{path}: {said}");
        assert!(said.starts_with("hold "), "{path}: {said}");
    }
}

#[test]
fn a_list_that_is_gone_had_only_what_is_gone() {
    let sample = Sample::default().remove("requirements.txt", "a==1\n");
    assert_eq!(
        sample.say(Dependencies),
        "flag requirements.txt:1 `a` ==1 is no dependency any more.\n"
    );
}

#[test]
fn other_files_have_no_dependencies() {
    let sample = Sample::default().add("src/a.rs", "x\n").add("docs/required.txt", "x\n");
    assert_eq!(sample.say(Dependencies), "");
}

#[test]
#[expect(clippy::format_collect, reason = "short lists, in no hurry")]
fn a_long_list_is_cut_in_words_and_held_whole() {
    let lock = |n: usize, last: &str| {
        (0..n).map(|i| format!("example.com/m{i} v1.0.0 h1:{i}=\n")).collect::<String>() + last
    };
    let sample = Sample::default().change("go.sum", "", &lock(13, ""));
    let said = sample.say(Dependencies);
    assert!(said.contains(" and 1 more."), "{said}");
    let other = Sample::default().change("go.sum", "", &lock(12, "example.com/zz v1.0.0 h1:q=\n"));
    assert_ne!(sample.report().hold(), other.report().hold());
}
