use super::*;

fn parse(text: &str) -> Result<String, InvalidAuthority> {
    Authority::parse(text, None).map(|authority| authority.to_string())
}

fn authority(text: &str) -> Authority {
    Authority::parse(text, None).unwrap()
}

fn hosts(entries: &[&str]) -> Hosts {
    let mut hosts = Hosts::default();
    for entry in entries {
        hosts.add(entry).unwrap();
    }
    hosts
}

#[test]
fn a_host_and_a_port_are_read_and_printed_in_one_form() {
    for (text, printed) in [
        ("example.org:443", "example.org:443"),
        ("EXAMPLE.Org:80", "example.org:80"),
        ("xn--bcher-kva.example:443", "xn--bcher-kva.example:443"),
        ("localhost:1", "localhost:1"),
        ("a--b.c0:65535", "a--b.c0:65535"),
        ("127.0.0.1:8080", "127.0.0.1:8080"),
        ("[::1]:443", "[::1]:443"),
        ("[0:0::FFFF:7f00:1]:443", "[::ffff:127.0.0.1]:443"),
        ("1.2.3.4.example:443", "1.2.3.4.example:443"),
    ] {
        assert_eq!(parse(text).as_deref(), Ok(printed), "{text}");
    }
    let plain = Authority::parse("example.org", Some(80)).unwrap();
    assert_eq!(plain.to_string(), "example.org:80");
}

#[test]
fn what_two_programs_could_read_differently_is_refused() {
    use InvalidAuthority as Wrong;
    for (text, why) in [
        ("", Wrong::Empty),
        (":443", Wrong::Empty),
        ("example.org", Wrong::NoPort),
        ("example.org:", Wrong::Port),
        ("example.org:0", Wrong::Port),
        ("example.org:0443", Wrong::Port),
        ("example.org:+443", Wrong::Character),
        ("example.org:65536", Wrong::Port),
        ("example.org:443:443", Wrong::Port),
        ("example.org:44a", Wrong::Port),
        ("crates.io@evil.test:443", Wrong::User),
        ("user:word@evil.test:443", Wrong::User),
        ("evil.test%00.crates.io:443", Wrong::Escape),
        ("%65vil.test:443", Wrong::Escape),
        ("evil.test\0.crates.io:443", Wrong::Character),
        ("evil.test\r\nhost: x:443", Wrong::Character),
        ("evil test:443", Wrong::Character),
        ("evil.test\t:443", Wrong::Character),
        ("evil_test.org:443", Wrong::Character),
        ("evil.test/crates.io:443", Wrong::Character),
        ("evil.test\\crates.io:443", Wrong::Character),
        ("evil.test#crates.io:443", Wrong::Character),
        ("b\u{fc}cher.example:443", Wrong::NotAscii),
        ("crates\u{3002}io:443", Wrong::NotAscii),
        ("crates.\u{456}o:443", Wrong::NotAscii),
        ("localhost.:443", Wrong::TrailingDot),
        ("example.org..:443", Wrong::TrailingDot),
        (".example.org:443", Wrong::EmptyLabel),
        ("example..org:443", Wrong::EmptyLabel),
        ("-a.org:443", Wrong::Label),
        ("a-.org:443", Wrong::Label),
        ("2130706433:80", Wrong::Number),
        ("0x7f000001:80", Wrong::Number),
        ("0X7F.1:80", Wrong::Number),
        ("017700000001:80", Wrong::Number),
        ("0177.0.0.1:80", Wrong::Number),
        ("127.1:80", Wrong::Number),
        ("127.0.1:80", Wrong::Number),
        ("127.0.0.0x1:80", Wrong::Number),
        ("127.0.0.256:80", Wrong::Number),
        ("1.2.3.4.5:80", Wrong::Number),
        ("127.0.0.1.:80", Wrong::TrailingDot),
        ("::1:80", Wrong::Empty),
        ("[::1:80", Wrong::Brackets),
        ("[::1]80", Wrong::Brackets),
        ("[::1]", Wrong::NoPort),
        ("[fe80::1%eth0]:80", Wrong::Escape),
        ("[127.0.0.1]:80", Wrong::Brackets),
        ("[example.org]:80", Wrong::Brackets),
        ("[]:80", Wrong::Brackets),
        ("a[::1]:80", Wrong::Character),
    ] {
        assert_eq!(parse(text), Err(why), "{text:?}");
    }
    assert_eq!(parse(&format!("{}.org:443", "a".repeat(64))), Err(Wrong::Label));
    assert_eq!(parse(&format!("{}org:443", "a.".repeat(200))), Err(Wrong::TooLong));
}

#[test]
fn what_is_printed_is_read_as_the_same() {
    for text in ["example.org:443", "[2606:4700::1111]:8443", "1.1.1.1:80"] {
        assert_eq!(authority(&authority(text).to_string()), authority(text));
    }
}

#[test]
fn nothing_is_on_a_list_that_is_empty() {
    assert!(Hosts::default().find(Way::Tunnel, &authority("crates.io:443")).is_none());
}

#[test]
fn an_entry_means_one_host_at_the_usual_port_or_at_the_one_that_is_written() {
    let hosts = hosts(&["example.org", "registry.example.org:8443"]);
    let may = |way, text: &str| hosts.find(way, &authority(text)).is_some();
    assert!(may(Way::Tunnel, "example.org:443"));
    assert!(may(Way::Tunnel, "EXAMPLE.ORG:443"));
    assert!(may(Way::Plain, "example.org:80"));
    assert!(may(Way::Tunnel, "registry.example.org:8443"));
    for (way, text) in [
        (Way::Tunnel, "example.org:80"),
        (Way::Plain, "example.org:443"),
        (Way::Tunnel, "example.org:22"),
        (Way::Tunnel, "registry.example.org:443"),
        (Way::Tunnel, "a.example.org:443"),
        (Way::Tunnel, "notexample.org:443"),
        (Way::Tunnel, "example.org.evil.test:443"),
        (Way::Tunnel, "93.184.216.34:443"),
    ] {
        assert!(!may(way, text), "{text}");
    }
}

#[test]
fn a_star_means_what_is_below_and_not_the_name_itself() {
    let hosts = hosts(&["*.example.org"]);
    let may = |text: &str| hosts.find(Way::Tunnel, &authority(text)).is_some();
    assert!(may("a.example.org:443") && may("b.a.example.org:443"));
    assert!(!may("example.org:443") && !may("aexample.org:443") && !may("a.example.org:80"));
}

#[test]
fn each_set_can_be_named() {
    for (name, members) in SETS {
        let hosts = hosts(&[name]);
        for member in members {
            let found = hosts.find(Way::Tunnel, &authority(&format!("{member}:443")));
            assert_eq!(found.map(|rule| rule.entry.as_str()), Some(name));
        }
    }
    let pypi = hosts(&["pypi"]);
    assert!(pypi.find(Way::Tunnel, &authority("upload.pypi.org:443")).is_none());
}

#[test]
fn an_entry_that_means_nothing_is_refused_with_what_would_be_right() {
    let mut hosts = Hosts::default();
    for (entry, says) in [
        ("crate", "there is no such set; there are `crates`, `npm`"),
        ("*", "`*` can only be the whole first label"),
        ("a*.example.org", "`*` can only be the whole first label"),
        ("*.*.example.org", "`*` can only be the whole first label"),
        ("*.org", "name at least two labels after `*.`"),
        ("127.0.0.1:80", "write it into `private`"),
        ("https://example.org", "write the host alone"),
        ("example.org.", "it ends in a dot"),
        ("localhost:8080", "there is no such set"),
    ] {
        let err = hosts.add(entry).unwrap_err().to_string();
        assert!(err.contains(says) && err.contains(entry), "{entry}: {err}");
    }
    for (entry, says) in [
        ("*.house:80", "a host of the house is named exactly"),
        ("169.254.169.254:80", "no run ever reaches an address of the kind `metadata`"),
        ("[fd00:ec2::254]:80", "no run ever reaches an address of the kind `metadata`"),
        ("0.0.0.0:80", "no run ever reaches an address of the kind `unspecified`"),
        ("[::ffff:10.0.0.1]:80", "no run ever reaches an address of the kind `embedding`"),
    ] {
        let err = hosts.add_private(entry).unwrap_err().to_string();
        assert!(err.contains(says), "{entry}: {err}");
    }
    assert!(hosts.is_empty());
}

#[test]
fn every_address_that_is_not_somebodys_on_the_internet_is_told_apart() {
    for (class, addresses) in [
        ("public", "1.1.1.1 93.184.216.34 100.128.0.1 172.32.0.1 223.255.255.255 2606:4700::1111"),
        ("private", "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 100.127.255.255"),
        ("private", "fc00::1 fdff::1"),
        ("loopback", "127.0.0.1 127.255.255.254 ::1"),
        ("metadata", "169.254.169.254 fd00:ec2::254 fd20:ce::254 100.100.100.200 168.63.129.16"),
        ("link-local", "169.254.0.1 fe80::1 febf::1"),
        ("unspecified", "0.0.0.0 0.1.2.3 ::"),
        ("broadcast", "255.255.255.255"),
        ("multicast", "224.0.0.1 239.255.255.255 ff02::1"),
        ("reserved", "240.0.0.1 198.18.0.1 198.19.255.255 192.0.0.8 100::1 2001:20::1 4000::1"),
        ("reserved", "5f00::1 1::1"),
        ("documentation", "192.0.2.1 198.51.100.7 203.0.113.9 2001:db8::1 3fff::1"),
        ("embedding", "::ffff:127.0.0.1 ::ffff:1.1.1.1 ::127.0.0.1 ::ffff:0:10.0.0.1"),
        ("embedding", "64:ff9b::7f00:1 64:ff9b:1::a00:1 2002:7f00:1:: 2001:0:7f00:1::1"),
        ("embedding", "192.88.99.1"),
        ("site-local", "fec0::1"),
    ] {
        for text in addresses.split(' ') {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(Class::of(address).word(), class, "{text}");
            let is_public = class == "public";
            assert_eq!(Reach::Public.check(address).is_ok(), is_public, "{text}");
            let is_of_house = is_public || class == "private";
            assert_eq!(Reach::House.check(address).is_ok(), is_of_house, "{text}");
            let is_written = is_of_house || class == "loopback";
            assert_eq!(Reach::Exactly(address).check(address).is_ok(), is_written, "{text}");
        }
    }
}

#[test]
fn a_host_of_the_house_reaches_only_what_is_written() {
    let mut hosts = Hosts::default();
    hosts.add("*.example.org").unwrap();
    for entry in ["registry.house:8443", "localhost:8080", "10.0.0.7:80", "a.example.org"] {
        hosts.add_private(entry).unwrap();
    }
    let reach = |text: &str| hosts.find(Way::Tunnel, &authority(text)).map(|rule| rule.reach);
    assert_eq!(reach("registry.house:8443"), Some(Reach::House));
    assert_eq!(reach("localhost:8080"), Some(Reach::Loopback));
    assert_eq!(reach("10.0.0.7:80"), Some(Reach::Exactly("10.0.0.7".parse().unwrap())));
    assert_eq!(reach("a.example.org:443"), Some(Reach::House));
    assert_eq!(reach("b.example.org:443"), Some(Reach::Public));
    assert_eq!((reach("registry.house:443"), reach("127.0.0.1:8080")), (None, None));
    let other: IpAddr = "10.0.0.8".parse().unwrap();
    assert!(reach("10.0.0.7:80").unwrap().check(other).is_err());
    assert!(Reach::Loopback.check("1.1.1.1".parse().unwrap()).is_err());
}
