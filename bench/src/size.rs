//! How large the program is, without symbols, as it is handed out.

use std::path::Path;

use crate::report::Row;

/// The name of this measurement.
pub(crate) const NAME: &str = "size";

pub(crate) fn run(zazen: &Path) -> anyhow::Result<Vec<Row>> {
    let n_bytes = zazen.metadata()?.len();
    #[expect(clippy::cast_precision_loss, reason = "for display")]
    let mb = n_bytes as f64 / f64::from(1 << 20);
    let how = "the file as it is: the release profile strips it";
    Ok(vec![Row::new(NAME, "the program", format!("{mb:.1} MB")).how(how)])
}
