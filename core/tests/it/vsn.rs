//! Which serializer a `vsn` selects.

use bennu_core::wire::{Serializer, VsnError};

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
