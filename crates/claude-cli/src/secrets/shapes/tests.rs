use super::{table::SHAPES, *};

/// Put together here, so that no key stands in this file.
fn key(shape: &Shape) -> String {
    let letters = b"Q7ZK2M9XW4RB8TJ3";
    let body: String = (0..shape.least).map(|at| char::from(letters[at % letters.len()])).collect();
    match (shape.begins.strip_prefix("PRIVATE"), shape.begins) {
        (Some(rest), _) => format!("-----BEGIN PRIVATE{rest}\n{body}\n"),
        (None, OPENAI) => format!("sk-{body}{OPENAI}{body}"),
        (None, begins) => format!("{begins}{body}"),
    }
}

#[test]
fn every_shape_is_found_on_its_line_whatever_is_around_it() {
    let scanner = Scanner::new();
    for shape in &SHAPES {
        let key = key(shape);
        for text in [
            key.clone(),
            format!("first\r\nexport KEY=\"{key}\"\nlast"),
            format!("\u{0}\u{ff}\n({key})"),
            format!("{{\"key\":\"{key}\"}}"),
        ] {
            let begins = if shape.begins == OPENAI { "sk-" } else { shape.begins };
            let line = text[..text.find(begins).unwrap()].matches('\n').count() + 1;
            assert_eq!(scanner.scan(text.as_bytes()), [Sight { line, kind: shape.kind }], "{}", shape.begins);
        }
    }
}

/// As they are met, and not made of the table above: a shape that is missing there is missed here.
#[test]
fn keys_of_the_wild_are_found() {
    let body = "Q7ZK2M9XW4RB8TJ3".repeat(6);
    let (scanner, pem) = (Scanner::new(), format!("{body}\n{body}"));
    for text in [
        format!("{{\"cell\": \"KEY\\nsk-ant-{}03-{body}\"}}", "api"),
        format!("https://example/?key%3Dsk-ant-{}01-{body}", "oat"),
        format!("MY_KEY_sk-ant-{}01-{body}", "admin"),
        format!("Bearer-gh{}_{body}", "u"),
        format!("tls.key: |\n    -----BEGIN {} KEY-----\n    {pem}", "PRIVATE"),
        format!(
            "-----BEGIN RSA {} KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0A1B2C3D4E\n",
            "PRIVATE"
        ),
        format!("-----BEGIN PGP {} KEY BLOCK-----\n\n{pem}", "PRIVATE"),
        format!("sk-{}-{body}", "svcacct"),
        format!("rk_{}_{body}", "live"),
        format!("GOC{}-{body}", "SPX"),
        format!("hv{}.{body}", "b"),
        format!("OPENAI_API_KEY=sk-{}T3Blbk{}{}", &body[..20], "FJ", &body[..20]),
        format!("sk-{}-{}T3Blbk{}{}", "proj", &body[..60], "FJ", &body[..60]),
        format!("Authorization: Bearer ya{}.a0{body}", "29"),
        format!("https://hooks.slack.{}/services/T0Q7ZK2M9/B0XW4RB8TJ/{}", "com", &body[..24]),
        format!("whs{}_{}", "ec", "Q7ZK2M9XW4RB8TJ3a+b/cdefQ7ZK2M=="),
        format!("gl{}-{}", "dt", &body[..20]),
        format!(
            "-----BEGIN RSA {} KEY-----\r\nProc-Type: 4,ENCRYPTED\r\nDEK-Info: AES-128-CBC,0A1B\r\n",
            "PRIVATE"
        ),
        format!(
            "\"-----BEGIN RSA {} KEY-----\\nProc-Type: 4,ENCRYPTED\\nDEK-Info: AES-128-CBC,0A1B\\n",
            "PRIVATE"
        ),
        format!(
            "-----BEGIN PGP {} KEY BLOCK-----\nVersion: GnuPG v2.0.22 (GNU/Linux)\nComment: https://x.example\n\n{pem}",
            "PRIVATE"
        ),
        format!("-----BEGIN PGP {} KEY BLOCK-----\r\nVersion: GnuPG v2\r\n\r\n{pem}", "PRIVATE"),
        format!(
            "\"-----BEGIN {} KEY-----\\n\"\n    \"{}\\n\"\n    \"{}\\n\"",
            "PRIVATE",
            &body[..64],
            &body[..64]
        ),
        format!("'-----BEGIN EC {} KEY-----\\n' +\n    '{}\\n' +\n", "PRIVATE", &body[..64]),
        format!("(b\"-----BEGIN {} KEY-----\\n\"\n    b\"{}\\n\"", "PRIVATE", &body[..64]),
        format!("# -----BEGIN {} KEY-----\n# {}\n# {}\n", "PRIVATE", &body[..64], &body[..64]),
        format!("// -----BEGIN {} KEY-----\r\n// {}\r\n", "PRIVATE", &body[..64]),
        format!("xox{}-{}", "a", &body[..40]),
        format!("xox{}-{}", "r", &body[..40]),
        format!("xox{}-{}", "s", &body[..40]),
        format!("xox{}-1-{}", "e", &body[..40]),
        format!("gl{}-64_{}", "cbt", &body[..20]),
        format!("gl{}-{}", "soat", &body[..20]),
        format!("gl{}-{}", "ft", &body[..20]),
        format!("s{}_{}", "k_test", &body[..24]),
        format!("r{}_{}", "k_test", &body[..24]),
        format!("hv{}.{}", "r", &body[..40]),
        format!("sk-{}-{}", "None", &body[..48]),
        format!("AB{}{}", "IA", &body[..16]),
        format!("AC{}{}", "CA", &body[..16]),
        format!(
            "\"https:\\/\\/hooks.slack.{}\\/services\\/T0Q7ZK2M9\\/B0XW4RB8TJ\\/{}\"",
            "com",
            &body[..24]
        ),
    ] {
        assert_eq!(scanner.scan(text.as_bytes()).len(), 1, "{text}");
    }
}

#[test]
fn the_first_line_of_a_private_key_is_none() {
    let (scanner, begin) = (Scanner::new(), format!("-----BEGIN {} KEY-----", "PRIVATE"));
    let long = "Q7ZK2M9XW4RB8TJ3".repeat(4);
    for text in [
        format!("it begins with `{begin}` and ends;\n{long}"),
        format!("let begin = \"{begin}\";\nlet hash = \"{long}\";\n"),
        format!("# {begin}\n# and so on\n# {long}"),
    ] {
        assert!(scanner.scan(text.as_bytes()).is_empty(), "{text}");
    }
}

/// Each of these begins a key in whose body all the others are: measured one by one, a megabyte takes hours here.
#[test]
fn a_text_of_nothing_but_beginnings_is_looked_at_once() {
    let scanner = Scanner::new();
    let dull = "ghp_".repeat(1 << 18);
    assert!(scanner.scan(dull.as_bytes()).is_empty());
    let key = key(&SHAPES[9]);
    let lines = format!("{key}\n").repeat(1 << 10);
    let sights = scanner.scan(lines.as_bytes());
    assert_eq!((sights.len(), sights.last().map(|last| last.line)), (1 << 10, Some(1 << 10)));
}

#[test]
fn keys_in_utf_16_are_found_wherever_they_begin() {
    let scanner = Scanner::new();
    let text = format!("first\r\n\u{e9}\u{2014}KEY={}\r\n", key(&SHAPES[0]));
    let found = [Sight { line: 2, kind: SHAPES[0].kind }];
    for before in [&b""[..], b"\xff\xfe", b"x", b"odd"] {
        let units = || text.encode_utf16();
        let little: Vec<u8> = before.iter().copied().chain(units().flat_map(u16::to_le_bytes)).collect();
        let big: Vec<u8> = before.iter().copied().chain(units().flat_map(u16::to_be_bytes)).collect();
        assert_eq!(scanner.scan(&little), found, "{before:?}");
        assert_eq!(scanner.scan(&big), found, "{before:?}");
    }
    // Words that a table of a program has one after the other are no key.
    let table: Vec<u8> = key(&SHAPES[0]).bytes().collect::<Vec<_>>().chunks(5).collect::<Vec<_>>().join(&0);
    assert!(scanner.scan(&table).is_empty());
}

#[test]
fn a_text_to_be_shown_has_no_key_in_it() {
    let scanner = Scanner::new();
    let [first, second] = [&SHAPES[0], &SHAPES[7]].map(key);
    assert_eq!(scanner.masked(&format!("a/{first}.txt and {second} é")), "a/[key].txt and [key] é");
    assert_eq!(scanner.masked("nothing é"), "nothing é");
}

#[test]
fn examples_and_parts_of_words_are_no_keys() {
    let scanner = Scanner::new();
    for shape in &SHAPES {
        let key = key(shape);
        let short = &key[..key.trim_end().len() - 2];
        let dull = format!("{}{}", shape.begins, "x".repeat(80));
        let mut texts = vec![short.to_owned(), dull, format!("{}...", shape.begins)];
        if !shape.begins.starts_with("PRIVATE") {
            texts.push(format!("mas{key}"));
        }
        for text in texts {
            assert!(scanner.scan(text.as_bytes()).is_empty(), "{}", shape.begins);
        }
    }
}
