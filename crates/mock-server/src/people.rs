//! Who can log in: people, their organisations and workspaces.

use http::HeaderValue;

use crate::mint::Mint;

/// A person who can log in, with the workspaces of one organisation.
///
/// A server has one person with one workspace unless [`Builder::people`](crate::Builder::people) names others. Where there
/// is a choice, the login page asks who it is and for which workspace; two people who name the same organisation share it.
#[derive(Clone, Debug)]
pub struct Person {
    pub(crate) email: String,
    pub(crate) organization: String,
    pub(crate) workspaces: Vec<String>,
    pub(crate) verified_by_mail: bool,
}

impl Person {
    /// A person with the workspace `Default` of an organisation.
    #[must_use]
    pub fn new(email: impl Into<String>, organization: impl Into<String>) -> Self {
        Self {
            email: email.into(),
            organization: organization.into(),
            workspaces: vec!["Default".to_owned()],
            verified_by_mail: false,
        }
    }

    /// Replaces the workspaces, by their names.
    #[must_use]
    pub fn workspaces<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.workspaces = names.into_iter().map(Into::into).collect();
        self
    }

    /// Makes each login ask for a code that comes by mail, as enterprises have it; see [`MockServer::mails`](crate::MockServer::mails).
    #[must_use]
    pub fn verified_by_mail(mut self) -> Self {
        self.verified_by_mail = true;
        self
    }

    /// Whether the names can stand on a page and in a token response.
    pub(crate) fn fits(&self) -> bool {
        let named = |text: &str| !text.trim().is_empty() && !text.chars().any(char::is_control);
        named(&self.email)
            && named(&self.organization)
            && !self.workspaces.is_empty()
            && self.workspaces.iter().all(|name| named(name))
    }
}

/// A person at a workspace: one choice of the login page.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) email: String,
    /// The person's id.
    pub(crate) account: String,
    pub(crate) organization: String,
    pub(crate) organization_name: String,
    pub(crate) workspace: String,
    pub(crate) workspace_name: String,
    pub(crate) verified_by_mail: bool,
    /// The first seats of the same organisation and workspace, as numbers for both.
    pub(crate) numbers: [usize; 2],
    /// The two ids as the API's answers carry them.
    pub(crate) headers: Option<[HeaderValue; 2]>,
}

/// All choices. The first belongs to the API key, too.
#[derive(Debug)]
pub(crate) struct Seats(Vec<Seat>);

impl Seats {
    pub(crate) fn new(people: &[Person], mint: &mut Mint) -> Self {
        let mut seats: Vec<Seat> = Vec::new();
        for person in people {
            let shared = seats.iter().find(|seat| seat.organization_name == person.organization);
            let organization = shared.map(|seat| seat.organization.clone());
            let organization = organization.unwrap_or_else(|| mint.uuid());
            let account = mint.uuid();
            for name in &person.workspaces {
                let shared = seats
                    .iter()
                    .find(|seat| seat.organization == organization && seat.workspace_name == *name);
                let workspace = shared.map(|seat| seat.workspace.clone());
                let workspace = workspace.unwrap_or_else(|| mint.name("wrkspc_", 24));
                let header = |id: &str| HeaderValue::from_str(id).ok();
                let headers = header(&organization).zip(header(&workspace)).map(<[HeaderValue; 2]>::from);
                let first = |same: &dyn Fn(&Seat) -> bool| seats.iter().position(same).unwrap_or(seats.len());
                let numbers = [
                    first(&|seat| seat.organization == organization),
                    first(&|seat| seat.workspace == workspace),
                ];
                seats.push(Seat {
                    email: person.email.clone(),
                    account: account.clone(),
                    organization: organization.clone(),
                    organization_name: person.organization.clone(),
                    workspace,
                    workspace_name: name.clone(),
                    verified_by_mail: person.verified_by_mail,
                    numbers,
                    headers,
                });
            }
        }
        Self(seats)
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Seat> {
        self.0.get(index)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &Seat)> {
        self.0.iter().enumerate()
    }

    /// The seat of whoever has nothing to choose and to prove.
    pub(crate) fn only(&self) -> Option<usize> {
        match self.0.as_slice() {
            [seat] if !seat.verified_by_mail => Some(0),
            _ => None,
        }
    }

    /// The seat at a workspace of an organisation; the first of the organisation where none is named.
    pub(crate) fn at(&self, organization: &str, workspace: Option<&str>) -> Option<usize> {
        self.0.iter().position(|seat| {
            seat.organization == organization && workspace.is_none_or(|wanted| wanted == seat.workspace)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_share_their_organisation_and_its_workspaces() {
        let people = [
            Person::new("ada@example.com", "Acme").workspaces(["Default", "Research"]),
            Person::new("bob@example.com", "Acme").workspaces(["Research"]),
            Person::new("bob@example.com", "Home"),
        ];
        let Seats(seats) = Seats::new(&people, &mut Mint::new(1));
        let [ada, research, bob, home] = seats.as_slice() else { panic!("{seats:?}") };
        assert_eq!((&ada.organization, &research.workspace), (&bob.organization, &bob.workspace));
        assert_eq!((&ada.account, ada.workspace == research.workspace), (&research.account, false));
        assert!(home.organization != ada.organization && home.workspace != ada.workspace);
    }

    #[test]
    fn a_choice_is_needed_where_there_is_one_or_something_to_prove() {
        let seats = |person: Person| Seats::new(&[person], &mut Mint::new(1)).only();
        let ada = || Person::new("ada@example.com", "Acme");
        assert_eq!(seats(ada()), Some(0));
        assert_eq!(seats(ada().workspaces(["A", "B"])), None);
        assert_eq!(seats(ada().verified_by_mail()), None);
    }
}
