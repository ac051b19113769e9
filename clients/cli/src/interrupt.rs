//! Ctrl-C: the program ends at once, and says how to go on.

use std::io::{self, Write as _};
use std::process::exit;
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Kind};

/// The exit code that shells give a program which Ctrl-C has ended.
const EXIT_CODE: i32 = 130;

/// What to say at Ctrl-C. A signal has one handler for the whole program, so this is one value too.
static ADVICE: Mutex<Option<String>> = Mutex::new(None);

/// Says the advice of [`advise`] at Ctrl-C, and ends the program.
///
/// # Errors
///
/// The operating system takes no handler.
pub fn handle() -> Result<(), Error> {
    let set = ctrlc::set_handler(|| {
        let advice = ADVICE.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A bar leaves the cursor in its line.
        let _ = writeln!(io::stderr(), "\n{}", advice.unwrap_or_else(|| "Interrupted.".to_owned()));
        exit(EXIT_CODE);
    });
    set.map_err(|error| Error::new(Kind::Refused, format!("Ctrl-C cannot be handled: {error}.")))
}

/// What somebody who presses Ctrl-C from now on has to know.
pub fn advise(text: String) {
    *ADVICE.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
}
