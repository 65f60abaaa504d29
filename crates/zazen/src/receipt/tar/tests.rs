//! Tests of archives.

use super::*;

fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for (name, bytes) in files {
        let entry = Entry { name: (*name).to_owned(), n_bytes: bytes.len() as u64 };
        writer.add(&entry, *bytes).unwrap();
    }
    writer.finish().unwrap()
}

fn read(bytes: &[u8]) -> io::Result<Vec<(String, Vec<u8>)>> {
    let (mut reader, mut files) = (Reader::new(bytes), Vec::new());
    while let Some(entry) = reader.next()? {
        let mut content = Vec::new();
        reader.content(&entry, &mut content)?;
        files.push((entry.name, content));
    }
    Ok(files)
}

#[test]
fn what_was_put_in_comes_out_and_every_tar_reads_it() {
    let files: [(&str, &[u8]); 3] = [("a", b""), ("runs/1.1/b", &[7; 512]), ("c", b"text")];
    let bytes = archive(&files);
    let found = read(&bytes).unwrap();
    assert_eq!(found.len(), 3);
    for ((name, content), (found_name, found_content)) in files.iter().zip(&found) {
        assert_eq!((*name, *content), (found_name.as_str(), found_content.as_slice()));
    }
    let listed = crate::exec::Command::new("tar").args(["-tvf", "-"]).stdin(bytes);
    let listed = crate::exec::run_blocking(&listed).unwrap();
    assert!(listed.status.success(), "{}", listed.stderr_text());
    assert!(listed.stdout_text().contains("512 1970-01-01 00:00 runs/1.1/b"));
}

#[test]
fn no_byte_of_an_archive_is_without_meaning() {
    let bytes = archive(&[("a", b"text"), ("b", b"")]);
    let whole = read(&bytes).unwrap();
    for at in 0..bytes.len() {
        for flip in [1, 0x80] {
            let mut changed = bytes.clone();
            changed[at] ^= flip;
            assert!(read(&changed).map_or(true, |found| found != whole), "byte {at}");
        }
    }
    for cut in [0, 1, 511, 600, bytes.len() - 1] {
        assert!(read(&bytes[..cut]).is_err(), "cut to {cut}");
    }
    assert!(read(&[bytes.as_slice(), b"x"].concat()).is_err());
}

#[test]
fn links_and_folders_are_no_entries() {
    for kind in *b"1235678gxLK\0" {
        let mut bytes = archive(&[("a", b"")]);
        bytes[156] = kind;
        let sum: u64 = bytes[..512].iter().map(|b| u64::from(*b)).sum::<u64>()
            - bytes[148..156].iter().map(|b| u64::from(*b)).sum::<u64>()
            + 8 * 32;
        bytes[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        assert!(read(&bytes).is_err(), "{kind}");
    }
}

#[test]
fn a_file_that_claims_to_be_larger_than_the_archive_is_cut_off() {
    let mut bytes = header(&Entry { name: "a".to_owned(), n_bytes: SIZE_MAX }).unwrap().to_vec();
    bytes.extend([0; 1024]);
    assert!(read(&bytes).unwrap_err().to_string().contains("cut off"));
}
