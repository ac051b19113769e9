//! Names of people, workspaces and workbooks: believable ones, and hostile ones that the CSV, the settings page and the
//! emails must handle.

/// Names that break careless code. In an organization with hostile names, each of them names a workbook, and each of
/// the first twenty names a workspace. Not all of them do, because the page would show little else.
pub const HOSTILE: [&str; 32] = [
    "=HYPERLINK(\"http://evil.example\",\"click\")",
    "Sales, \"EMEA\"\nand APAC",
    "四半期レポート 売上",
    "דוח רבעוני, 2025",
    "👩\u{200d}👩\u{200d}👧\u{200d}👦 Family plan 🏳\u{fe0f}\u{200d}🌈",
    "+1",
    "-x",
    "@x",
    "\ttab first",
    "\rcarriage return first",
    "two\r\nlines",
    "lone\rcarriage return",
    "\"",
    "'already",
    "<script>alert(1)</script>",
    THOUSAND_CHARACTERS,
    "  leading spaces",
    "trailing spaces  ",
    "تقرير المبيعات الشهري",
    ",",
    "=1+1",
    "=cmd|' /C calc'!A0",
    "line feed at the end\n",
    "\u{202e}written backwards",
    "e\u{301} is not \u{e9}",
    "\u{feff}byte order mark first",
    "semicolon;tab\tpipe|",
    "NULL",
    "{{7*7}} ${7*7} %s",
    "'; DROP TABLE runs; --",
    "../../etc/passwd",
    "007",
];

/// A name wider than any column, with quotes and commas to escape.
const THOUSAND_CHARACTERS: &str = match str::from_utf8(&thousand_bytes_of(b"Q1, \"wide\" ")) {
    Ok(text) => text,
    Err(_) => panic!("ASCII is UTF-8"),
};

/// Local parts of email addresses that are valid but awkward.
const HOSTILE_LOCAL_PARTS: [&str; 10] = [
    "ana.silva+exports",
    "=sum",
    "-minus",
    "+plus",
    "o'neil",
    "\"last, first\"",
    "\"say \\\"hi\\\"\"",
    "josé.núñez",
    "用户",
    "a.local.part.of.sixty-four.characters.which.is.the.longest.valid",
];

/// Names of the workspaces of an organization, the busiest first.
pub const ORGANIZATION_WORKSPACES: [&str; 14] = [
    "Revenue Operations",
    "Finance",
    "Marketing",
    "Customer Success",
    "Data Platform",
    "Sales Development",
    "Supply Chain",
    "People & Culture",
    "Product Analytics",
    "Legal and Compliance",
    "Support",
    "Partnerships",
    "Labs (2023)",
    "Trade Show Project",
];

const SUBJECTS: [&str; 24] = [
    "Lead enrichment",
    "Invoice reconciliation",
    "Churn risk scoring",
    "Pipeline hygiene",
    "Ticket triage",
    "Vendor onboarding",
    "Contract renewal reminders",
    "Campaign attribution",
    "Inventory forecast",
    "Expense audit",
    "Candidate screening",
    "Product usage digest",
    "Account deduplication",
    "Refund approvals",
    "Shipment delay alerts",
    "Survey sentiment",
    "Price monitoring",
    "Meeting notes to CRM",
    "Territory assignment",
    "Webinar follow-up",
    "Data quality checks",
    "Budget variance",
    "Security questionnaire answers",
    "Knowledge base refresh",
];

const VARIANTS: [&str; 13] = [
    "",
    " (daily)",
    " - EMEA",
    " v2",
    " – North America",
    " (weekly)",
    ": backfill",
    " - APAC",
    " [test]",
    " 2025",
    " (copy)",
    " for the board",
    " / hourly sync",
];

const FIRST_NAMES: [&str; 20] = [
    "Ada", "Bruno", "Chiara", "Dmitri", "Elena", "Farah", "Goran", "Hana", "Ivan", "Joana", "Kofi", "Leila",
    "Mateo", "Nadia", "Oscar", "Priya", "Quentin", "Rosa", "Samir", "Tessa",
];

const LAST_NAMES: [&str; 21] = [
    "Almeida", "Brandt", "Costa", "Dubois", "Eriksen", "Fischer", "Garcia", "Haddad", "Ito", "Jansen",
    "Kowalski", "Lindgren", "Moreau", "Novak", "Okafor", "Petrov", "Quinn", "Rossi", "Santos", "Tanaka",
    "Usman",
];

/// The hostile name of the `nth` workspace, if it has one: five workspaces of the organization, but not the busiest, and
/// fifteen personal ones do.
pub fn hostile_workspace(nth: usize) -> Option<&'static str> {
    match nth {
        7..12 => HOSTILE.get(nth - 7).copied(),
        36..51 => HOSTILE.get(nth - 31).copied(),
        _ => None,
    }
}

/// The hostile name of the `nth` workbook: every fifth has one until all are used.
pub fn hostile_workbook(nth: usize) -> Option<&'static str> {
    if nth % 5 == 4 { HOSTILE.get(nth / 5).copied() } else { None }
}

/// The hostile local part of the `nth` member, if they have one. Administrators, who come first, have none.
pub fn hostile_local_part(nth: usize) -> Option<&'static str> {
    HOSTILE_LOCAL_PARTS.get(nth.checked_sub(12)?).copied()
}

/// First and last name of the `nth` person. The lengths of the lists, 20 and 21, have no common divisor, so 420 people
/// in a row have different names.
pub fn person(nth: usize) -> (&'static str, &'static str) {
    (FIRST_NAMES[nth % FIRST_NAMES.len()], LAST_NAMES[nth % LAST_NAMES.len()])
}

/// A believable name of the `nth` workbook. 312 in a row are different.
pub fn workbook(nth: usize) -> String {
    format!("{}{}", SUBJECTS[nth % SUBJECTS.len()], VARIANTS[nth % VARIANTS.len()])
}

/// Repeats `pattern` up to a thousand bytes. `str::repeat` does not work in a constant.
const fn thousand_bytes_of(pattern: &[u8]) -> [u8; 1000] {
    let mut bytes = [0; 1000];
    let mut at = 0;
    while at < bytes.len() {
        bytes[at] = pattern[at % pattern.len()];
        at += 1;
    }
    bytes
}
