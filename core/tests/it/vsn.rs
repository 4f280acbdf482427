//! Which serializer a `vsn` selects.

use bennu_core::wire::{Requirement, Serializer, VsnError};

#[test]
fn absent_vsn_is_v1() {
    assert_eq!(Serializer::negotiate(None), Ok(Serializer::V1));
}

#[test]
fn patch_versions_select_their_serializer() {
    for vsn in ["1.0.0", "1.0.5", "1.0.0+2.0.0"] {
        assert_eq!(Serializer::negotiate(Some(vsn)), Ok(Serializer::V1), "{vsn}");
    }
    for vsn in ["2.0.0", "2.0.9", "2.0.1-dev", "2.0.0+abc", "2.0.99999999999999999999", "2.0.0+-"] {
        assert_eq!(Serializer::negotiate(Some(vsn)), Ok(Serializer::V2), "{vsn}");
    }
}

#[test]
fn other_versions_and_early_pre_releases_are_unsupported() {
    for vsn in
        ["0.0.0", "1.1.0", "2.1.0", "2.1.0-rc.1", "2.1.0-0", "3.0.0", "2.0.0-rc.1", "1.0.0-dev", "20.0.0"]
    {
        assert_eq!(Serializer::negotiate(Some(vsn)), Err(VsnError::Unsupported), "{vsn}");
    }
}

#[test]
fn anything_else_is_no_version() {
    for vsn in [
        "", "2", "2.0", "2.0.0.0", "02.0.0", "2.0.00", " 2.0.0", "2.0.0 ", "v2.0.0", "2.0.0-", "2.0.x",
        "２.0.0",
    ] {
        assert_eq!(Serializer::negotiate(Some(vsn)), Err(VsnError::NotAVersion), "{vsn}");
    }
}

#[test]
fn all_serializers_are_in_the_order_of_their_index() {
    for (index, serializer) in Serializer::ALL.into_iter().enumerate() {
        assert_eq!(serializer.index(), index);
    }
}

#[test]
fn requirement_allows_what_elixir_would() {
    let cases: [(&str, &[&str], &[&str]); 6] = [
        (
            "~> 3.0.0",
            &["3.0.0", "3.0.9", "3.0.10", "3.0.1-rc.1", "3.0.0+build"],
            &["3.0.0-rc.1", "3.1.0", "2.0.0", "4.0.0", "30.0.0", "3.1.0-rc.1", "3.0", "", "v3.0.0"],
        ),
        (
            "~> 3.1.2",
            &["3.1.2", "3.1.10", "3.1.3-rc.1"],
            &["3.1.1", "3.1.2-rc.1", "3.2.0", "3.0.3", "3.11.2"],
        ),
        (
            "~> 3.1",
            &["3.1.0", "3.2.0", "3.10.0", "3.2.0-rc.1"],
            &["3.0.9", "3.1.0-rc.1", "4.0.0", "4.0.0-rc.1", "2.9.9"],
        ),
        ("~> 3.0", &["3.0.0", "3.9.9"], &["4.0.0", "3.0.0-dev"]),
        ("3.1.2", &["3.1.2", "3.1.2+build"], &["3.1.3", "3.1.1", "3.1.2-rc.1", "3.2.2", "4.1.2"]),
        ("== 3.1.2", &["3.1.2"], &["3.1.3"]),
    ];
    for (requirement, allowed, others) in cases {
        let parsed = Requirement::parse(requirement).unwrap();
        assert!(allowed.iter().all(|vsn| parsed.allows(vsn)), "{requirement} allows {allowed:?}");
        assert!(!others.iter().any(|vsn| parsed.allows(vsn)), "{requirement} allows none of {others:?}");
    }
}

#[test]
fn anything_else_is_no_requirement() {
    for text in [
        "",
        "~>",
        "~> 3",
        "3",
        "3.0",
        ">= 3.0.0",
        "~> 3.0.0 or ~> 4.0.0",
        "~> 3.0.0-rc.1",
        "3.0.0+b",
        "~> 03.0",
        "~> 3.0.0.0",
    ] {
        let error = Requirement::parse(text).unwrap_err();
        assert_eq!(error.requirement, text);
        assert!(error.to_string().contains("~> 3.0.0"), "it says what one looks like");
    }
}

#[test]
fn first_requirement_that_fits_counts_and_stands_before_those_of_v1_and_v2() {
    let requirement = |text| Requirement::parse(text).unwrap();
    let others = [
        (requirement("~> 2.0.1"), Serializer::V1),
        (requirement("~> 3.0.0"), Serializer::V1),
        (requirement("~> 3.0"), Serializer::V2),
        (requirement("~> 1.0.0"), Serializer::V2),
    ];
    for (vsn, expected) in [
        (Some("3.0.1"), Ok(Serializer::V1)),
        (Some("3.1.0"), Ok(Serializer::V2)),
        (Some("2.0.0"), Ok(Serializer::V2)),
        (Some("2.0.1"), Ok(Serializer::V1)),
        (Some("1.0.0"), Ok(Serializer::V2)),
        (None, Ok(Serializer::V2)),
        (Some("4.0.0"), Err(VsnError::Unsupported)),
        (Some("3.0"), Err(VsnError::NotAVersion)),
    ] {
        assert_eq!(Serializer::negotiate_with(vsn, &others), expected, "{vsn:?}");
    }
}
