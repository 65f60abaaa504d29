//! The shapes of secrets, as of November 2026.
//!
//! Facts gathered from what the services themselves document of their tokens,
//! and from the open lists that others keep (those of gitleaks, of GitHub's
//! secret scanning, of Kingfisher and of detect-secrets). To add one: the
//! keyword is how it always begins, the shape is matched from there, and the
//! first group is the secret. Prefer long keywords: each one that is common in
//! honest texts costs time. `bench secrets` tells what an addition costs.

/// One shape.
#[derive(Debug)]
pub(super) struct Rule {
    /// In words that fit after "looks like".
    pub(super) what: &'static str,
    /// How it begins. One of these is found before the shape is tried.
    pub(super) keywords: &'static [&'static str],
    /// A regular expression over bytes, from the keyword on.
    pub(super) shape: &'static str,
    /// Nothing that could belong to a word may stand before it.
    pub(super) is_word: bool,
    /// Its entropy, at least, in tenths of a bit for each byte. Placeholders have less.
    pub(super) entropy_min: u32,
    /// How far it is looked for.
    pub(super) bytes_max: usize,
}

/// How long a token is at most. Some carry signed claims.
pub(super) const TOKEN_BYTES_MAX: usize = 4 * 1024;

/// How long a private key is at most: 16,384 bits, in lines.
const KEY_BYTES_MAX: usize = 16 * 1024;

/// How much of a secret its entropy is measured on, so that nothing can be added at its
/// end that makes it look harmless.
const MEASURED_BYTES: usize = 40;

/// A token that says what it is by how it begins.
const fn token(what: &'static str, keywords: &'static [&'static str], shape: &'static str) -> Rule {
    let (is_word, entropy_min, bytes_max) = (false, 30, TOKEN_BYTES_MAX);
    Rule { what, keywords, shape, is_word, entropy_min, bytes_max }
}

/// A token whose beginning is so short that it has to be the beginning of a word.
const fn short(what: &'static str, keywords: &'static [&'static str], shape: &'static str) -> Rule {
    let (is_word, entropy_min, bytes_max) = (true, 32, TOKEN_BYTES_MAX);
    Rule { what, keywords, shape, is_word, entropy_min, bytes_max }
}

impl Rule {
    /// Whether a text of this shape may be a secret, and is no placeholder.
    pub(super) fn believes(&self, secret: &[u8]) -> bool {
        // The two keys that Amazon's own documents use everywhere.
        let is_example = secret == b"AKIAIOSFODNN7EXAMPLE"
            || secret == b"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        !is_example && entropy(&secret[..secret.len().min(MEASURED_BYTES)]) >= self.entropy_min
    }
}

/// Shannon's entropy, in tenths of a bit for each byte.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "of at most forty bytes, so between 0 and 54"
)]
fn entropy(bytes: &[u8]) -> u32 {
    let mut n_of = [0_u32; 256];
    for b in bytes {
        n_of[usize::from(*b)] += 1;
    }
    let n_all = bytes.len() as f64;
    let bits: f64 = n_of
        .iter()
        .filter(|n| **n > 0)
        .map(|n| f64::from(*n) / n_all)
        .map(|share| -share * share.log2())
        .sum();
    (bits * 10.0) as u32
}

/// Every shape.
pub(super) static RULES: &[Rule] = &[
    // Model services.
    token("an Anthropic key", &["sk-ant-"], r"sk-ant-[A-Za-z0-9_-]{20,}"),
    token(
        "an OpenAI key",
        &["sk-proj-", "sk-svcacct-", "sk-admin-"],
        r"sk-[a-z]+-[A-Za-z0-9_-]{20,}",
    ),
    token("an OpenRouter key", &["sk-or-v1-"], r"sk-or-v1-[0-9a-f]{40,}"),
    short("a key of a model's service", &["sk-"], r"sk-[A-Za-z0-9]{32,64}(?:[^A-Za-z0-9_-]|\z)"),
    token("a Groq key", &["gsk_"], r"gsk_[A-Za-z0-9]{40,}"),
    token("an xAI key", &["xai-"], r"xai-[A-Za-z0-9]{60,}"),
    token("a Perplexity key", &["pplx-"], r"pplx-[A-Za-z0-9]{40,}"),
    short("a Hugging Face token", &["hf_", "api_org_"], r"(?:hf|api_org)_[A-Za-z0-9]{30,}"),
    short("a Replicate token", &["r8_"], r"r8_[A-Za-z0-9]{37}"),
    // Forges.
    token(
        "a GitHub token",
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        r"gh[pousr]_[A-Za-z0-9_]{36,}",
    ),
    token("a GitHub token", &["github_pat_"], r"github_pat_[A-Za-z0-9_]{36,}"),
    token(
        "a GitLab token",
        &[
            "glpat-", "gldt-", "glrt-", "glptt-", "glcbt-", "glimt-", "glagent-", "gloas-",
            "glft-", "glsoat-", "glffct-", "glrtr-", "glwt-",
        ],
        r"gl[a-z]+-[A-Za-z0-9_.-]{20,}",
    ),
    token(
        "an Atlassian token",
        &["ATATT3", "ATCTT3", "ATBB"],
        r"AT(?:[AC]TT3|BB)[A-Za-z0-9_=-]{28,}",
    ),
    token("a Sourcegraph token", &["sgp_"], r"sgp_(?:[a-f0-9]{16}_|local_)?[a-f0-9]{40}"),
    // Clouds.
    token(
        "an AWS access key",
        &["AKIA", "ASIA", "ABIA", "ACCA"],
        r"((?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16})(?:[^A-Z0-9a-z/+]|\z)",
    ),
    Rule {
        entropy_min: 40,
        ..token(
            "an AWS secret key",
            &["ecret_access_key", "ECRET_ACCESS_KEY", "ecretAccessKey"],
            concat!(
                r#"[A-Za-z_]{14,16}["']?\s{0,3}(?:=>|[:=])\s{0,3}["']?"#,
                r"([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|\z)",
            ),
        )
    },
    token("a Google key", &["AIza"], r"AIza[A-Za-z0-9_-]{35}"),
    token("a Google client secret", &["GOCSPX-"], r"GOCSPX-[A-Za-z0-9_-]{24,}"),
    token("a Google token", &["ya29."], r"ya29\.[A-Za-z0-9_-]{30,}"),
    token("an Azure storage key", &["AccountKey="], r"AccountKey=([A-Za-z0-9+/]{80,}={0,2})"),
    token("a DigitalOcean token", &["dop_v1_", "doo_v1_", "dor_v1_"], r"do[opr]_v1_[a-f0-9]{64}"),
    token("a Heroku key", &["HRKU-"], r"HRKU-[A-Za-z0-9_-]{30,}"),
    token("a Fly.io token", &["fo1_", "fm1r_", "fm2_"], r"f(?:o1|m1r|m2)_[A-Za-z0-9+/=_-]{40,}"),
    token("a Supabase key", &["sbp_", "sb_secret_"], r"sb(?:p|_secret)_[A-Za-z0-9_-]{30,}"),
    token("a Netlify token", &["nfp_"], r"nfp_[A-Za-z0-9]{36,}"),
    token("a Databricks token", &["dapi"], r"dapi[a-f0-9]{32}(?:[^A-Za-z0-9]|\z)"),
    token("a PlanetScale token", &["pscale_"], r"pscale_(?:tkn|oauth|pw)_[A-Za-z0-9_.=-]{32,}"),
    token("a Pulumi token", &["pul-"], r"pul-[a-f0-9]{40}"),
    token("a Vault token", &["hvs.", "hvb.", "hvr."], r"hv[sbr]\.[A-Za-z0-9_-]{24,}"),
    token("a Terraform token", &[".atlasv1."], r"\.atlasv1\.[A-Za-z0-9_=-]{60,}"),
    token("a Doppler token", &["dp.pt.", "dp.st."], r"dp\.[ps]t\.[A-Za-z0-9_.-]{40,}"),
    token("a 1Password token", &["ops_eyJ"], r"ops_eyJ[A-Za-z0-9+/=_-]{100,}"),
    token("a Tailscale key", &["tskey-"], r"tskey-[a-z]+-[A-Za-z0-9-]{20,}"),
    // Packages.
    token("an npm token", &["npm_"], r"npm_[A-Za-z0-9]{36}"),
    token("a PyPI token", &["pypi-AgE"], r"pypi-AgE[A-Za-z0-9_-]{50,}"),
    short("a crates.io token", &["cio"], r"(cio[A-Za-z0-9]{32})(?:[^A-Za-z0-9_]|\z)"),
    token("a RubyGems token", &["rubygems_"], r"rubygems_[a-f0-9]{48}"),
    token("a Docker token", &["dckr_pat_", "dckr_oat_"], r"dckr_[po]at_[A-Za-z0-9_-]{20,}"),
    token("an Artifactory token", &["AKCp"], r"AKCp[A-Za-z0-9]{60,}"),
    // Messages and mail.
    token(
        "a Slack token",
        &["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxo-", "xoxe-", "xoxe."],
        r"xox[abeoprs][.-][A-Za-z0-9.-]{20,}",
    ),
    token("a Slack token", &["xapp-"], r"xapp-\d-[A-Za-z0-9-]{20,}"),
    token(
        "a Slack webhook",
        &["hooks.slack.com/"],
        r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9+/_-]{30,})",
    ),
    token(
        "a Discord webhook",
        &["discord.com/api/webhooks/", "discordapp.com/api/webhooks/"],
        r"discord(?:app)?\.com/api/webhooks/([0-9]{17,20}/[A-Za-z0-9_-]{60,})",
    ),
    token("a Telegram token", &[":AA"], r":(AA[A-Za-z0-9_-]{33})(?:[^A-Za-z0-9_-]|\z)"),
    token("a SendGrid key", &["SG."], r"SG\.[A-Za-z0-9_-]{20,24}\.[A-Za-z0-9_-]{39,50}"),
    short("a Twilio key", &["SK"], r"(SK[0-9a-f]{32})(?:[^A-Za-z0-9_]|\z)"),
    // Money.
    token(
        "a Stripe key",
        &["sk_live_", "rk_live_", "rk_test_", "sk_test_"],
        r"[rs]k_(?:live|test)_[A-Za-z0-9]{20,}",
    ),
    token("a Stripe signing secret", &["whsec_"], r"whsec_[A-Za-z0-9+/=]{32,}"),
    token("a Square token", &["sq0atp-", "sq0csp-"], r"sq0(?:atp|csp)-[A-Za-z0-9_-]{22,}"),
    token(
        "a Shopify token",
        &["shpat_", "shpca_", "shppa_", "shpss_"],
        r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}",
    ),
    // Other services.
    token("a Grafana token", &["glsa_", "glc_eyJ"], r"gl(?:sa_|c_eyJ)[A-Za-z0-9+/=_]{32,}"),
    token("a Linear key", &["lin_api_", "lin_oauth_"], r"lin_(?:api|oauth)_[A-Za-z0-9]{40,}"),
    token("a Notion token", &["ntn_"], r"ntn_[A-Za-z0-9]{40,}"),
    token("a New Relic key", &["NRAK-"], r"NRAK-[A-Z0-9]{27}"),
    token("a Postman key", &["PMAK-"], r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}"),
    token("a Sentry token", &["sntrys_", "sntryu_"], r"sntry(?:s_eyJ|u_)[A-Za-z0-9+/=_]{40,}"),
    token("a Figma token", &["figd_"], r"figd_[A-Za-z0-9_-]{38,}"),
    short("an Airtable token", &["pat"], r"pat[A-Za-z0-9]{14}\.[a-f0-9]{64}"),
    // Of no service.
    Rule {
        bytes_max: KEY_BYTES_MAX,
        ..token(
            "a private key",
            &["-----BEGIN "],
            concat!(
                r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----(?:",
                r"(?:[A-Za-z0-9+/=\s,:.>-]|\\[nr]){64,}?-----END [A-Z0-9 ]{0,30}",
                r"PRIVATE KEY(?: BLOCK)?-----",
                r"|(?:(?:\s|\\[nr]){0,4}[A-Za-z0-9+/=]{20,})+)",
            ),
        )
    },
    token("a PuTTY key", &["PuTTY-User-Key-File-"], r"PuTTY-User-Key-File-\d: [a-z0-9-]{7,}"),
    token("an age key", &["AGE-SECRET-KEY-1"], r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
    short(
        "a signed token",
        &["eyJ"],
        r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}",
    ),
    Rule {
        entropy_min: 28,
        ..token(
            "a password in an address",
            &["://"],
            concat!(
                r#"://[^\s/@:"'`<>\\(){}\[\]$*|]{0,64}:([^\s/@:"'`<>\\(){}\[\]$*|]{8,200})@"#,
                r"[A-Za-z0-9\[]",
            ),
        )
    },
    Rule {
        entropy_min: 40,
        ..token(
            "a bearer token",
            &["Bearer ", "bearer "],
            r"[Bb]earer ([A-Za-z0-9._~+/-]{32,}={0,2})",
        )
    },
    Rule {
        entropy_min: 42,
        ..token(
            "a secret",
            &[
                "ecret",
                "ECRET",
                "assword",
                "ASSWORD",
                "oken",
                "OKEN",
                "pi_key",
                "API_KEY",
                "piKey",
                "ccess_key",
                "ccessKey",
                "ACCESS_KEY",
                "rivate_key",
                "rivateKey",
            ],
            concat!(
                r#"[A-Za-z_]{4,12}["']?\s{0,3}(?:=>|:=|[:=])\s{0,3}"#,
                r#"["']([A-Za-z0-9+/_-]{32,}={0,2})["']"#,
            ),
        )
    },
];
