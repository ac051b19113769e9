//! What the tests of the system run against.

use anyhow::Result;
use clap::ValueEnum;

use crate::local::backend::Backend;
use crate::local::functions::Processor;
use crate::local::instance::Instance;
use crate::prepare::debian::QEMU_ARM64;

/// One thing other than in the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Variant {
    /// `MiniStack` for every service, and the processor of this machine.
    #[default]
    Ministack,
    /// The same, but Amazon's DynamoDB Local for the tables.
    DynamodbLocal,
    /// The same, but `LocalStack` for tables, files and queues, and aws-ses-v2-local for emails.
    Localstack,
    /// As the first, but functions that are built for arm64, under qemu.
    Arm64,
}

/// Tests that are run together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// A target in the folder `tests`: it looks at the system.
    Test(&'static str),
    /// The tests of a package, which need no system.
    Package(&'static str),
}

const TARGETS: [Target; 8] = [
    Target::Test("integration"),
    Target::Test("abuse"),
    Target::Test("authorization"),
    Target::Test("worker"),
    Target::Test("browser"),
    Target::Test("permissions"),
    Target::Test("deployment"),
    Target::Package("query_csv"),
];

impl Target {
    pub fn name(self) -> &'static str {
        let (Self::Test(name) | Self::Package(name)) = self;
        name
    }

    /// What makes `cargo test` run it.
    pub fn arguments(self) -> [String; 2] {
        let (option, name) = match self {
            Self::Test(name) => ("--test", name),
            Self::Package(name) => ("--package", name),
        };
        [option, name].map(str::to_owned)
    }
}

/// Tests that cannot pass in a variant, and why.
const DIFFERENT: [(Variant, &str, &str); 5] = [
    (
        Variant::DynamodbLocal,
        "a_bucket_that_refuses_small_parts_takes_a_file_in_parts",
        "MiniStack has the files there too",
    ),
    (
        Variant::DynamodbLocal,
        "s3_itself_has_the_checksum_of_the_whole_file",
        "MiniStack has the files there too",
    ),
    (
        Variant::DynamodbLocal,
        "every_known_difference_to_aws_is_still_there",
        "these differences are MiniStack's",
    ),
    (
        Variant::Localstack,
        "every_known_difference_to_aws_is_still_there",
        "these differences are MiniStack's",
    ),
    (
        Variant::Localstack,
        "an_email_that_is_refused_is_counted_and_so_is_the_one_that_is_sent_after_all",
        "its server of emails refuses none",
    ),
];

impl Variant {
    pub const ALL: [Self; 4] = [Self::Ministack, Self::DynamodbLocal, Self::Localstack, Self::Arm64];

    pub fn name(self) -> &'static str {
        match self {
            Self::Ministack => "MiniStack",
            Self::DynamodbLocal => "DynamoDB Local",
            Self::Localstack => "LocalStack",
            Self::Arm64 => "arm64",
        }
    }

    pub fn instance(self) -> Instance {
        let (processor, backend) = match self {
            Self::Ministack => (Processor::Own, Backend::Ministack),
            Self::DynamodbLocal => (Processor::Own, Backend::DynamodbLocal),
            Self::Localstack => (Processor::Own, Backend::Localstack),
            Self::Arm64 => (Processor::Arm64, Backend::Ministack),
        };
        Instance::test(processor, backend)
    }

    /// Installs what only this variant needs.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be installed.
    pub async fn prepare(self) -> Result<()> {
        if self == Self::Arm64 {
            QEMU_ARM64.ensure().await?;
        }
        Ok(())
    }

    /// The targets that this variant can run.
    pub fn targets(self) -> impl Iterator<Item = Target> {
        TARGETS.into_iter().filter(move |target| self.cannot(*target).is_none())
    }

    /// Why the variant cannot run a target; `None` if it can.
    pub fn cannot(self, target: Target) -> Option<&'static str> {
        match (self, target) {
            (Self::Arm64, Target::Test("worker")) => Some("the worker runs inside the test"),
            (
                Self::Arm64,
                Target::Test("abuse" | "authorization" | "browser" | "permissions" | "deployment"),
            ) => Some("the processor makes no difference to it"),
            (Self::DynamodbLocal | Self::Localstack, Target::Test("permissions")) => Some("no roles there"),
            (Self::DynamodbLocal | Self::Localstack, Target::Test("deployment")) => {
                Some("stacks are MiniStack's")
            }
            (Self::DynamodbLocal | Self::Localstack, Target::Package(_)) => Some("it calls no service"),
            _ => None,
        }
    }

    /// The tests that this variant leaves out, each with the reason.
    pub fn different(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        DIFFERENT.iter().filter(move |of| of.0 == self).map(|of| (of.1, of.2))
    }

    /// The arguments of `cargo test`: those that somebody gave, in the default as they are. Another variant runs its targets,
    /// unless they name one, also with the tests that need what `MiniStack` has not, and without those that it leaves out.
    pub fn arguments(self, given: &[String]) -> Vec<String> {
        if self == Self::Ministack {
            return given.to_vec();
        }
        let (cargo, tests) = match given.iter().position(|arg| arg == "--") {
            Some(place) => (&given[..place], &given[place + 1..]),
            None => (given, &[][..]),
        };
        let mut all = cargo.to_vec();
        if !cargo.iter().any(|arg| arg.starts_with("--test")) {
            let tests = self.targets().filter(|target| matches!(target, Target::Test(_)));
            all.extend(tests.flat_map(Target::arguments));
        }
        all.push("--".to_owned());
        if self != Self::Arm64 {
            all.push("--include-ignored".to_owned());
        }
        all.extend(self.different().flat_map(|(test, _)| ["--skip".to_owned(), test.to_owned()]));
        all.extend_from_slice(tests);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(variant: Variant, given: &str) -> String {
        let given: Vec<_> = given.split_whitespace().map(str::to_owned).collect();
        variant.arguments(&given).join(" ")
    }

    #[test]
    fn a_variant_runs_what_it_can_or_what_is_asked_for() {
        assert_eq!(arguments(Variant::Ministack, "--test worker -- resume"), "--test worker -- resume");
        assert_eq!(arguments(Variant::Arm64, ""), "--test integration --");
        let all = arguments(Variant::Localstack, "");
        assert!(
            all.starts_with("--test integration --test abuse --test authorization --test worker --test browser -- --include-ignored "),
            "{all}"
        );
        let one = arguments(Variant::DynamodbLocal, "--test worker -- resume");
        assert!(
            one.starts_with("--test worker -- --include-ignored --skip ") && one.ends_with(" resume"),
            "{one}"
        );
    }
}
