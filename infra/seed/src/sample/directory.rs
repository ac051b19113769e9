//! The content of the table `Directory`: three organizations, and API keys for them.

use chrono::{DateTime, Days, NaiveDate, Utc};
use fastrand::Rng;

use super::api_key::ApiKey;
use super::calendar::midnight;
use super::generator::Generator;
use super::organization::Organization;
use super::plan::PLANS;
use crate::SeededUser;
use crate::records::Item;

/// Everything but the runs.
pub struct Directory {
    /// The busiest first.
    pub organizations: Vec<Organization>,
    keys: Vec<ApiKey>,
    seeded_users: Vec<SeededUser>,
}

impl Directory {
    /// Generates a directory as it stands when `today` begins.
    pub fn generate(rng: &mut Rng, today: NaiveDate) -> Self {
        let organizations =
            PLANS.iter().map(|plan| Generator::new(plan, midnight(today), rng).organization()).collect();
        let mut directory = Self { organizations, keys: Vec::new(), seeded_users: Vec::new() };
        directory.add_valid_keys(rng);
        directory.add_refused_keys(midnight(today), rng);
        directory
    }

    /// All items of the table.
    pub fn items(&self) -> Vec<Item> {
        let organizations = self.organizations.iter().flat_map(Organization::items);
        organizations.chain(self.keys.iter().map(ApiKey::to_item)).collect()
    }

    /// Users with a valid key, in the order that [`crate::seed`] promises.
    pub fn seeded_users(&self) -> Vec<SeededUser> {
        self.seeded_users.clone()
    }

    fn add_valid_keys(&mut self, rng: &mut Rng) {
        let [first, second, third] = [0, 1, 2].map(|nth| &self.organizations[nth]);
        let [administrator, another] = [&first.members[0], &first.members[1]];
        let member = first.members.iter().find(|member| !member.administrator).unwrap_or(another);
        let issued = [
            (ApiKey::personal(first, administrator, rng), administrator),
            (ApiKey::personal(first, another, rng), another),
            (ApiKey::personal(first, member, rng), member),
            (ApiKey::organization(first, rng), administrator),
            (ApiKey::personal(second, &second.members[0], rng), &second.members[0]),
            (ApiKey::personal(third, &third.members[0], rng), &third.members[0]),
        ];
        self.seeded_users = issued.iter().map(|(key, member)| key.seeded_user(member)).collect();
        self.keys = issued.into_iter().map(|(key, _)| key).collect();
    }

    /// Adds keys that the API refuses because they expired or were revoked.
    fn add_refused_keys(&mut self, today: DateTime<Utc>, rng: &mut Rng) {
        let organization = &self.organizations[0];
        let administrator = &organization.members[0];
        let expired = ApiKey::personal(organization, administrator, rng).expiring(today - Days::new(30));
        let revoked = ApiKey::personal(organization, administrator, rng).revoked(today - Days::new(7));
        let revoked_for_all = ApiKey::organization(organization, rng).revoked(today - Days::new(90));
        self.keys.extend([expired, revoked, revoked_for_all]);
    }
}
