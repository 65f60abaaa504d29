//! The images that runs are started in: present, or built from a recipe.
//!
//! An image is never pulled here: what runs is what somebody has put on the
//! machine. A recipe comes from a repository's base branch and is built by the
//! engine, with whatever network the host gives to builds. Its name is the
//! hash of all that went into it, so it is built once.

use std::path::Path;

use anyhow::bail;
use tokio::sync::Mutex;

use super::api::{Api, EngineName};

/// All that an image is built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// The folder of the recipe, as a tar.
    context: Vec<u8>,
    /// The recipe's file in that folder.
    file: String,
    /// Changes when anything in the folder does.
    hash: String,
}

/// One build at a time: two of the same recipe would do all of it twice.
static BUILDING: Mutex<()> = Mutex::const_new(());

impl Recipe {
    /// A recipe, in a context that is a tar of the content which `tree` names.
    pub fn new(context: Vec<u8>, file: String, tree: &str) -> Self {
        let hash = blake3::hash(format!("{tree}\n{file}").as_bytes()).to_hex()[..16].to_owned();
        Self { context, file, hash }
    }

    /// The name that its image gets.
    pub fn image(&self) -> String {
        format!("localhost/zazen-image:{}", self.hash)
    }
}

/// Builds a recipe's image, unless it is there, and returns its name.
pub async fn build(socket: &Path, recipe: Recipe) -> anyhow::Result<String> {
    let image = recipe.image();
    let api = Api::at(socket);
    let _alone = BUILDING.lock().await;
    if api.image_id(&image).await?.is_none() {
        api.build(recipe.context, &recipe.file, &image).await?;
        require_from(&api, api.about().await?.name, &image).await?;
    }
    Ok(image)
}

/// Checks that an image is on the machine, and says how to get it where it is not.
pub async fn require(socket: &Path, image: &str) -> anyhow::Result<()> {
    let api = Api::at(socket);
    let engine = api.about().await?.name;
    require_from(&api, engine, image).await.map(drop)
}

/// The full name of an image, which has to be there.
pub(super) async fn require_from(
    api: &Api,
    engine: EngineName,
    image: &str,
) -> anyhow::Result<String> {
    match api.image_id(image).await? {
        Some(id) => Ok(id),
        None => bail!(
            "the image `{image}` is not on this machine, and zazen pulls none by itself; run \
             `{} pull {image}`",
            engine.command()
        ),
    }
}
