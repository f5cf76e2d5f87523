//! Names that are taken, and that are not.

use super::*;
use alloc::format;
use alloc::string::String;

#[test]
fn room_names_have_letters_and_digits_of_any_script() {
    for name in ["testroom", "1", "a_b-c.d", "聊天室", "комната", "غرفة", "é", "٣", &"x".repeat(94)]
    {
        assert_eq!(RoomName::new(name).as_ref().map(RoomName::as_str), Ok(name));
    }
}

#[test]
fn room_names_have_nothing_else() {
    let cases = [
        ("", NameError::Empty),
        ("../x", NameError::ForbiddenCharacter('/')),
        ("..", NameError::ForbiddenCharacter('.')),
        ("a b", NameError::ForbiddenCharacter(' ')),
        ("😀", NameError::ForbiddenCharacter('😀')),
        ("a\0", NameError::ForbiddenCharacter('\0')),
        ("listener", NameError::Reserved),
        (&"x".repeat(95), NameError::TooLong { max: 94 }),
    ];
    for (name, error) in cases {
        assert_eq!(RoomName::new(name), Err(error), "{name:?}");
    }
}

#[test]
fn people_are_called_what_they_like() {
    for name in ["amy", "user@example.com", "王小明", "Maria da Silva", "O'Brien", "علی\u{200c}رضا", "jo😀"]
    {
        assert_eq!(Username::new(name).as_ref().map(Username::as_str), Ok(name));
    }
}

#[test]
fn people_are_not_called_what_misleads() {
    let long: String = "x".repeat(151);
    let cases = [
        ("", NameError::Empty),
        (" amy", NameError::ForbiddenCharacter(' ')),
        ("amy\n", NameError::ForbiddenCharacter('\n')),
        ("<img>", NameError::ForbiddenCharacter('<')),
        ("a\u{202e}b", NameError::ForbiddenCharacter('\u{202e}')),
        ("server", NameError::Reserved),
        ("SERVER", NameError::Reserved),
        ("ser\u{200c}ver", NameError::Reserved),
        ("\u{200d}", NameError::Empty),
        ("a\u{e0041}", NameError::ForbiddenCharacter('\u{e0041}')),
        (&long, NameError::TooLong { max: 150 }),
    ];
    for (name, error) in cases {
        assert_eq!(Username::new(name), Err(error), "{name:?}");
    }
}

#[test]
fn a_numeric_reference_may_be_an_id() {
    let name = |text: &str| RoomRef::Name(RoomName::new(text).unwrap());
    assert_eq!(name("12").as_id(), RoomId::new(12).ok());
    assert_eq!(name("lobby").as_id(), None);
    assert_eq!(RoomRef::Id(RoomId::new(3).unwrap()).as_id(), RoomId::new(3).ok());
}

#[test]
fn nobody_takes_a_name_that_looks_like_another() {
    let forbidden = |c| Err(NameError::ForbiddenCharacter(c));
    let hidden = [
        '\u{34f}',
        '\u{115f}',
        '\u{1160}',
        '\u{17b4}',
        '\u{180b}',
        '\u{180d}',
        '\u{180f}',
        '\u{2800}',
        '\u{fe00}',
        '\u{fe0f}',
        '\u{ffa0}',
        '\u{1d173}',
        '\u{e0100}',
        '\u{e01ef}',
    ];
    for c in hidden {
        for name in [format!("alice{c}"), format!("{c}alice"), format!("ali{c}ce")] {
            // It is read where it is stored already.
            assert_eq!(Username::new(&name).unwrap().check_new(), forbidden(c), "{name:?}");
        }
    }
    for c in ['\u{200c}', '\u{200d}'] {
        for name in [
            format!("alice{c}"),
            format!("{c}alice"),
            format!("ali{c}ce"),
            format!("رضا{c}"),
            format!("{c}رضا"),
            format!("علی{c}{c}رضا"),
        ] {
            assert_eq!(Username::new(&name).unwrap().check_new(), forbidden(c), "{name:?}");
        }
    }
    for name in [
        "amy",
        "Maria da Silva",
        "علی\u{200c}رضا",
        "श्\u{200d}री",
        "👩\u{200d}💻",
        "👩\u{200d}❤\u{fe0f}\u{200d}👨",
        "amy ❤\u{fe0f}",
        "jo😀",
        "김민수",
        "é",
    ] {
        assert_eq!(Username::new(name).unwrap().check_new(), Ok(()), "{name:?}");
    }
}

#[test]
fn no_room_is_made_that_looks_like_another() {
    for c in ['\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}'] {
        let name = RoomName::new(&format!("lobby{c}")).unwrap();
        assert_eq!(name.check_new(), Err(NameError::ForbiddenCharacter(c)), "{c:?}");
    }
    for name in ["lobby", "a_b-c.d", "聊天室", "комната", "غرفة", "한국"] {
        assert_eq!(RoomName::new(name).unwrap().check_new(), Ok(()), "{name}");
    }
}
