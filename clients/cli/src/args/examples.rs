//! What stands below a help: examples, and the exit codes.

/// Below the help of the program.
pub const EXAMPLES: &str = "\
Examples:
  # January of every workspace, as one file
  usage-export start --start-date 2025-01-01 --end-date 2025-01-31 --all-workspaces --wait --output january.csv

  # The same in three steps
  ID=$(usage-export start --start-date 2025-01-01 --end-date 2025-01-31 --all-workspaces)
  usage-export wait $ID
  usage-export download $ID --output january.csv

  # For programs
  usage-export list --json

Before the first of them:
  export USAGE_EXPORT_URL=https://api.example.com USAGE_EXPORT_USER_ID=usr_1
  read -rs USAGE_EXPORT_KEY && export USAGE_EXPORT_KEY

Exit codes:
  0    done
  1    the API refuses the request as it is, or something on this machine fails
  2    the command line is wrong, or a file is in the way
  3    the key is not valid, or may not do this
  4    the export has failed
  5    the export was cancelled
  6    there is no such export, or its file has expired
  7    what arrived is not the file that was written; nothing of it is left
  8    the export has not finished yet
  9    the API cannot be reached or is busy, also after trying again
  130  ended by Ctrl-C; the export goes on";

/// Below the help of `start`.
pub const START_EXAMPLES: &str = "\
Examples:
  # What two workspaces cost in January, and who ran what
  usage-export start --start-date 2025-01-01 --end-date 2025-01-31 --workspace wsp_1,wsp_2 \\
    --fields workspace_name,user_email,credit_cost --wait --output january.csv

  # Repeat a request whose answer was lost: it never starts a second export
  usage-export start --start-date 2025-01-01 --end-date 2025-01-31 --all-workspaces --idempotency-key KEY";
