//! Running the program.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A folder to run in, a user and a key, all of one test.
pub struct Program {
    pub folder: TempDir,
    pub user_id: String,
    pub key: String,
}

/// What came out.
#[derive(Debug)]
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Program {
    pub fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), user_id: random("usr &"), key: random("uex") }
    }

    /// The command, with what `export` would have set.
    pub fn command(&self, url: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_usage-export"));
        command.args(args).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env_clear().env("USAGE_EXPORT_URL", url);
        command.env("USAGE_EXPORT_USER_ID", &self.user_id).env("USAGE_EXPORT_KEY", &self.key);
        command
    }

    pub fn run(&self, url: &str, args: &[&str]) -> Outcome {
        run(&mut self.command(url, args))
    }

    /// Starts it, with pipes for what it prints.
    pub fn spawn(&self, url: &str, args: &[&str]) -> Child {
        self.command(url, args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    /// The names of all files, sorted.
    pub fn files(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.folder.path()).unwrap();
        let name = |path: &Path| path.file_name().and_then(OsStr::to_str).unwrap().to_owned();
        let mut names: Vec<_> = files.map(|file| name(&file.unwrap().path())).collect();
        names.sort();
        names
    }
}

impl Outcome {
    /// Asserts the exit code, and returns itself.
    pub fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn error_json(&self) -> Value {
        serde_json::from_str(&self.stderr).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts that standard error says all of this.
    pub fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.stderr.contains(text), "{text:?} is not in {self:?}");
        }
        self
    }
}

pub fn run(command: &mut Command) -> Outcome {
    outcome(command.output().unwrap())
}

pub fn outcome(output: Output) -> Outcome {
    Outcome {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A name that no other test has.
pub fn random(kind: &str) -> String {
    format!("{kind}_{:016x}", fastrand::u64(..))
}
