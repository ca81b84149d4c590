//! Who may decide.

use stagegate_approval::{Author, Grounds, Person, Refusal, Release, Revision, Ruling, Started, Terms, authorise};

use crate::support::terms;

fn person(user: &str, email: Option<&str>) -> Person {
    Person {
        user: user.to_owned(),
        name: user.to_owned(),
        email: email.map(str::to_owned),
        is_email_confirmed: true,
        is_member: true,
        groups: Vec::new(),
    }
}

fn release(author: Option<&str>, started: Option<&str>) -> Release {
    let author = author.map(|email| Author { name: None, email: Some(email.to_owned()) });
    let started = started.map(|arn| Started { trigger: "StartPipelineExecution".into(), detail: Some(arn.to_owned()) });
    let revisions = vec![Revision { author, ..Revision::default() }];
    Release { revisions, started, is_read: true, ..Release::default() }
}

#[test]
fn only_those_who_are_named_may_decide() {
    let nobody = Terms { users: [].into(), groups: [].into(), email_domains: [].into(), ..terms(1) };
    let in_group = Person { groups: vec!["S1".to_owned()], ..person("U9", None) };
    let other_group = Person { groups: vec!["S2".to_owned()], ..person("U9", None) };
    let address = |email| person("U9", Some(email));
    let domain = || Ok(Grounds::EmailDomain { domain: "example.com".to_owned() });
    let cases = [
        (terms(1), person("U1", None), Ok(Grounds::User)),
        (terms(1), person("u1", None), Err(Refusal::NotAnApprover)),
        (terms(1), in_group.clone(), Ok(Grounds::Group { group: "S1".to_owned() })),
        (terms(1), other_group, Err(Refusal::NotAnApprover)),
        (terms(1), address("eve@example.com"), domain()),
        (terms(1), address("eve@EXAMPLE.com"), domain()),
        (terms(1), address("eve@sub.example.com"), Err(Refusal::NotAnApprover)),
        (terms(1), address("eve@example.com.evil.example"), Err(Refusal::NotAnApprover)),
        (terms(1), address("example.com"), Err(Refusal::NotAnApprover)),
        (terms(1), address("\"x@example.com\"@evil.example"), Err(Refusal::NotAnApprover)),
        (terms(1), Person { is_email_confirmed: false, ..address("eve@example.com") }, Err(Refusal::NotAnApprover)),
        (terms(1), Person { is_member: false, ..address("eve@example.com") }, Err(Refusal::NotAnApprover)),
        // Nobody is named: nobody may.
        (nobody.clone(), person("U1", Some("ana@example.com")), Err(Refusal::NotAnApprover)),
        (nobody, in_group, Err(Refusal::NotAnApprover)),
    ];
    for (terms, person, expected) in cases {
        for ruling in [Ruling::Approved, Ruling::Rejected] {
            assert_eq!(authorise(&terms, &Release::default(), &person, ruling), expected, "{person:?}");
        }
    }
}

/// The author's address, who started it, the clicker's address, and what comes of it.
type Case = (Option<&'static str>, Option<String>, Option<&'static str>, Result<(), Refusal>);

#[test]
fn the_author_may_not_approve_where_that_is_configured() {
    let strict = Terms { author_may_approve: false, ..terms(1) };
    let session = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0/";
    let cases: [Case; 15] = [
        (Some("ana@example.com"), None, Some("ana@example.com"), Err(Refusal::Author)),
        (Some("Ana@Example.com "), None, Some("ana@example.com"), Err(Refusal::Author)),
        (Some("ben@example.com"), None, Some("ana@example.com"), Ok(())),
        (
            Some("ben@example.com"),
            Some(format!("{session}ana@example.com")),
            Some("ana@example.com"),
            Err(Refusal::Author),
        ),
        (Some("ben@example.com"), Some(format!("{session}ana")), Some("ana@example.com"), Err(Refusal::Author)),
        (
            Some("ben@example.com"),
            Some("arn:aws:iam::111122223333:user/team/ana".into()),
            Some("ana@example.com"),
            Err(Refusal::Author),
        ),
        (Some("ben@example.com"), Some(format!("{session}cora")), Some("ana@example.com"), Ok(())),
        (
            Some("ben@example.com"),
            Some("arn:aws:events:eu-west-1:111122223333:rule/ana".into()),
            Some("ana@example.com"),
            Ok(()),
        ),
        (Some("ben@example.com"), Some("ana".into()), Some("ana@example.com"), Ok(())),
        (
            Some("ben@example.com"),
            Some("arn:aws:sts::111122223333:federated-user/ana".into()),
            Some("ana@example.com"),
            Err(Refusal::Author),
        ),
        // A service keeps the address private, so that nobody knows whose it is.
        (Some("1+ana@users.noreply.github.com"), None, Some("ana@example.com"), Err(Refusal::AuthorUnknown)),
        (Some(""), None, Some("ana@example.com"), Err(Refusal::AuthorUnknown)),
        (None, None, Some("ana@example.com"), Err(Refusal::AuthorUnknown)),
        (None, Some(format!("{session}cora")), Some("ana@example.com"), Err(Refusal::AuthorUnknown)),
        (Some("ben@example.com"), None, None, Err(Refusal::EmailUnknown)),
    ];
    for (author, started, email, expected) in cases {
        let release = release(author, started.as_deref());
        let person = person("U1", email);
        let approve = authorise(&strict, &release, &person, Ruling::Approved).map(drop);
        assert_eq!(approve, expected, "{author:?} {started:?} {email:?}");
        // Everybody who may decide may stop it, and without the rule everybody may approve.
        assert!(authorise(&strict, &release, &person, Ruling::Rejected).is_ok());
        assert!(authorise(&terms(1), &release, &person, Ruling::Approved).is_ok());
    }
}

/// Each part of the change has its author, and none of them may approve it; while CodePipeline has not told who they are
/// and who started it, nobody may.
#[test]
fn every_author_of_a_change_counts() {
    let strict = Terms { author_may_approve: false, ..terms(1) };
    let of = |authors: &[Option<&str>]| Release {
        revisions: authors.iter().flat_map(|author| release(*author, None).revisions).collect(),
        is_read: true,
        ..Release::default()
    };
    let (ana, ben) = (Some("ana@example.com"), Some("ben@example.com"));
    let unread = Release { is_read: false, ..of(&[ben]) };
    for (name, release, expected) in [
        ("nobody is named", of(&[]), Err(Refusal::AuthorUnknown)),
        ("one source, somebody else", of(&[ben]), Ok(Grounds::User)),
        ("two sources, somebody else", of(&[ben, ben]), Ok(Grounds::User)),
        ("the second source is hers", of(&[ben, ana]), Err(Refusal::Author)),
        ("the second source names nobody", of(&[ben, None]), Err(Refusal::AuthorUnknown)),
        ("the first source names nobody", of(&[None, ben]), Err(Refusal::AuthorUnknown)),
        ("who started it is not read", unread, Err(Refusal::ReleaseUnknown)),
    ] {
        let person = person("U1", ana);
        assert_eq!(authorise(&strict, &release, &person, Ruling::Approved), expected, "{name}");
        assert!(authorise(&strict, &release, &person, Ruling::Rejected).is_ok(), "{name}");
    }
}
