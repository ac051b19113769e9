//! `usage-export completions` and `usage-export man`: files for shells and for `man`.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::Cli;
use crate::error::{Error, Kind};

const NAME: &str = "usage-export";

pub fn completions(shell: Shell) -> Result<(), Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), NAME, &mut script);
    write(&script)
}

pub fn man(output_dir: Option<&Path>) -> Result<(), Error> {
    if let Some(folder) = output_dir {
        let made = fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Cli::command(), folder));
        return made.map_err(|error| Error::file(folder, "written", &error));
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(cannot_write)?;
    write(&page)
}

fn write(bytes: &[u8]) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(cannot_write)
}

fn cannot_write(error: io::Error) -> Error {
    Error::new(Kind::Refused, format!("Standard output cannot be written: {error}."))
}
