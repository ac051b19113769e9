//! Random answers of `Query`: records of one shape, as tables have them, and records with any values.

use proptest::prelude::*;
use proptest::sample::select;

/// A text in JSON: each character as it is, escaped by number, or escaped by a letter.
fn json_string() -> impl Strategy<Value = String> {
    let character =
        prop_oneof![9 => any::<char>(), 1 => select("=+-@＝＋－＠\t\r\n\0".chars().collect::<Vec<_>>())];
    proptest::collection::vec((character, 0..4), 0..10).prop_map(|characters| {
        let escape = |(character, style): (char, i32)| match character {
            '\n' if style == 3 => "\\n".to_owned(),
            '/' if style == 3 => "\\/".to_owned(),
            '"' | '\\' if style < 3 => format!("\\{character}"),
            '"' | '\\' | '\0'..='\u{1f}' => numbered(character),
            _ if style > 1 => numbered(character),
            _ => character.to_string(),
        };
        characters.into_iter().map(escape).collect()
    })
}

/// An escape such as `\u0041`, or a surrogate pair of them.
fn numbered(character: char) -> String {
    let units =
        character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect::<Vec<_>>();
    units.concat()
}

fn string() -> impl Strategy<Value = String> {
    json_string().prop_map(|text| format!(r#"{{"S":"{text}"}}"#))
}

fn number() -> impl Strategy<Value = String> {
    let digits =
        prop_oneof!["-?[0-9]{1,38}(\\.[0-9]{1,20})?", "-?[0-9]{0,5}\\.?[0-9]{0,3}([eE][+-]?[0-9]{1,3})?"];
    digits.prop_map(|digits| format!(r#"{{"N":"{digits}"}}"#))
}

/// A value of any type.
fn anything() -> impl Strategy<Value = String> {
    let other = prop_oneof![
        Just(r#"{"NULL":true}"#.to_owned()),
        any::<bool>().prop_map(|flag| format!(r#"{{"BOOL":{flag}}}"#)),
        Just(r#"{"B":"aGVsbG8="}"#.to_owned()),
        Just(r#"{"BS":["aGVsbG8="]}"#.to_owned()),
        Just(r#"{"NS":["1","2.5"]}"#.to_owned()),
        json_string().prop_map(|text| format!(r#"{{"SS":["{text}"]}}"#)),
    ];
    prop_oneof![string(), number(), other].prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3)
                .prop_map(|values| format!(r#"{{"L":[{}]}}"#, values.join(","))),
            (json_string(), inner).prop_map(|(name, value)| format!(r#"{{"M":{{"{name}":{value}}}}}"#)),
        ]
    })
}

/// Mostly the value that a writer of records stores, sometimes one of another type, sometimes none.
fn usually(value: impl Strategy<Value = String> + 'static) -> impl Strategy<Value = Option<String>> {
    prop_oneof![8 => value.prop_map(Some), 1 => anything().prop_map(Some), 2 => Just(None)]
}

fn time() -> impl Strategy<Value = String> {
    prop_oneof![
        20 => "20[0-9]{2}-0[1-9]-[0-2][1-8]T[01][0-9]:[0-5][0-9]:[0-5][0-9]\\.[0-9]{3}Z",
        1 => "20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\\.[0-9]{2,4}Z",
    ]
}

fn item() -> impl Strategy<Value = String> {
    let sort_key = (time(), json_string()).prop_map(|(start, id)| format!(r#"{{"S":"{start}#{id}"}}"#));
    let finished = time().prop_map(|time| format!(r#"{{"S":"{time}"}}"#));
    let known = (
        usually(sort_key),
        usually(string()),
        usually(string()),
        usually(number()),
        usually(number()),
        usually(finished),
    );
    let others = proptest::collection::btree_map("[A-Z]{1,4}[a-z]", anything(), 0..3);
    (known, others).prop_flat_map(|((sort_key, machine, person, price, amount, ended), others)| {
        let known = [
            ("SK", sort_key),
            ("machine_id", machine),
            ("person_id", person),
            ("price", price),
            ("amount", amount),
            ("ended", ended),
        ];
        let known = known.into_iter().filter_map(|(name, value)| Some(format!(r#""{name}":{}"#, value?)));
        let others = others.into_iter().map(|(name, value)| format!(r#""{name}":{value}"#));
        let members: Vec<_> = known.chain(others).collect();
        Just(members).prop_shuffle().prop_map(|members| format!("{{{}}}", members.join(",")))
    })
}

/// Records of one shape: names in one order, two attributes that may be absent, and between them sometimes a record with
/// any values.
fn of_one_shape() -> impl Strategy<Value = Vec<String>> {
    let names = ["SK", "machine_id", "person_id", "price", "ended", "balance", "category"].to_vec();
    // One in eight begins as a formula does.
    let id = "[-=+@a-z]{3}_[0-9a-f]{0,70}";
    let price = proptest::option::weighted(0.9, "-?[0-9]{1,12}(\\.[0-9]{1,9})?");
    let record = (time(), id, id, id, price, proptest::option::weighted(0.9, time()));
    let record = prop_oneof![20 => record.prop_map(Ok), 1 => item().prop_map(Err)];
    (Just(names).prop_shuffle(), proptest::collection::vec(record, 1..60)).prop_map(|(names, records)| {
        let records = records.into_iter().map(|record| {
            let (start, id, machine, person, price, ended) = match record {
                Ok(values) => values,
                Err(item) => return item,
            };
            let members = names.iter().filter_map(|name| {
                let (kind, value) = match *name {
                    "SK" => ("S", Some(format!("{start}#{id}"))),
                    "machine_id" => ("S", Some(machine.clone())),
                    "person_id" => ("S", Some(person.clone())),
                    "price" | "balance" => ("N", price.clone()),
                    "ended" => ("S", ended.clone()),
                    _ => ("S", Some(id.clone())),
                };
                Some(format!(r#""{name}":{{"{kind}":"{}"}}"#, value?))
            });
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        });
        records.collect()
    })
}

/// An answer whose members come in any order.
pub fn answer() -> impl Strategy<Value = String> {
    let items = prop_oneof![proptest::collection::vec(item(), 0..6), of_one_shape()];
    (items, proptest::option::of(string()), any::<bool>()).prop_flat_map(|(items, last, spaced)| {
        let (comma, colon) = if spaced { (" ,\n", " : ") } else { (",", ":") };
        let mut members = vec![
            format!(r#""Count"{colon}{}"#, items.len()),
            format!(r#""ScannedCount"{colon}{}"#, items.len()),
            format!(r#""Items"{colon}[{}]"#, items.join(comma)),
            r#""ConsumedCapacity":{"CapacityUnits":1.5,"TableName":"usage"}"#.to_owned(),
        ];
        members.extend(last.map(|key| format!(r#""LastEvaluatedKey"{colon}{{"SK"{colon}{key}}}"#)));
        Just(members).prop_shuffle().prop_map(move |members| format!("{{{}}}", members.join(comma)))
    })
}
