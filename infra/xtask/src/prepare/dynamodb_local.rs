//! Amazon's DynamoDB Local: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/DynamoDBLocal.html>.
//!
//! Amazon offers it as an archive without a version. npm has it at one, in a package of AWS Amplify.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use super::debian::JAVA;
use super::npm;
use crate::{command, paths, terminal};

/// The package that carries version 1.25.1.
const PACKAGE: &str = "amplify-dynamodb-simulator@2.9.30";
const FILE: &str = "amplify-dynamodb-simulator-2.9.30.tgz";
const SHA256: &str = "3503ffac19f183407909fecdacf4db51ab1fdad1da7b2f177016670b2d80e4b9";
/// Where the archive has it.
const FOLDER: &str = "package/emulator";

/// Makes sure that Java and DynamoDB Local are there, and returns the folder with `DynamoDBLocal.jar`.
///
/// # Errors
///
/// Fails if Java cannot be installed, if npm does not fetch the package, or if it is another one than it was.
pub async fn ensure() -> Result<PathBuf> {
    JAVA.ensure().await?;
    let dir = paths::state_dir().join("dynamodb-local");
    let program = dir.join(FOLDER);
    let stamp = dir.join("archive.sha256");
    if npm::is_stamped(&stamp, SHA256) {
        return Ok(program);
    }
    let _spinner = terminal::spinner();
    std::fs::create_dir_all(&dir)?;
    fetch(&dir).await?;
    std::fs::write(stamp, SHA256)?;
    Ok(program)
}

async fn fetch(dir: &Path) -> Result<()> {
    npm::pack(PACKAGE, dir).await?;
    let archive = dir.join(FILE);
    let found = npm::sha256(&archive)?;
    ensure!(found == SHA256, "{PACKAGE} has the SHA-256 {found}, but {SHA256} is expected");
    let mut tar = command::program("tar");
    command::output(tar.arg("-xzf").arg(&archive).arg("-C").arg(dir).arg(FOLDER)).await?;
    paths::remove_file(&archive)
}
