//! The part of DynamoDB's expression language that the worker's updates use.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::update_item::UpdateItemInput;
use aws_sdk_dynamodb::types::AttributeValue;

pub type Item = HashMap<String, AttributeValue>;

/// Updates the item. False, and nothing changes, if the condition does not hold.
pub fn update(item: &mut Item, request: &UpdateItemInput) -> bool {
    if let Some(condition) = request.condition_expression() {
        let mut words = Words::new(condition, request);
        if !words.any_of(item) {
            return false;
        }
    }
    let mut words = Words::new(request.update_expression().expect("an update"), request);
    let mut action = String::new();
    while let Some(word) = words.next() {
        match (action.as_str(), word.as_str()) {
            (_, "SET" | "REMOVE" | "ADD") => action = word,
            ("REMOVE", _) => {
                item.remove(&words.name(&word));
            }
            ("SET", _) => {
                words.expect("=");
                let value = words.value();
                item.insert(words.name(&word), value);
            }
            ("ADD", _) => {
                let more = number(&words.value());
                let sum = item.get(&word).map_or(0, number) + more;
                item.insert(word, AttributeValue::N(sum.to_string()));
            }
            other => panic!("not expected in an update: {other:?}"),
        }
    }
    true
}

/// Whether a filter lets the item pass.
pub fn holds(filter: &str, values: &Item, item: &Item) -> bool {
    let request = UpdateItemInput::builder().set_expression_attribute_values(Some(values.clone()));
    let request = request.table_name("usage").set_key(Some(Item::new())).build().expect("a request");
    Words::new(filter, &request).any_of(item)
}

fn number(value: &AttributeValue) -> i64 {
    value.as_n().expect("a number").parse().expect("digits")
}

struct Words<'a> {
    words: std::vec::IntoIter<String>,
    request: &'a UpdateItemInput,
}

impl<'a> Words<'a> {
    fn new(expression: &str, request: &'a UpdateItemInput) -> Self {
        let mut spaced = expression.replace(',', " ");
        for sign in ["(", ")", "=", "<"] {
            spaced = spaced.replace(sign, &format!(" {sign} "));
        }
        let words: Vec<_> = spaced.split_whitespace().map(str::to_owned).collect();
        Self { words: words.into_iter(), request }
    }

    fn next(&mut self) -> Option<String> {
        self.words.next()
    }

    fn eat(&mut self, word: &str) -> bool {
        let found = self.words.as_slice().first().is_some_and(|next| next == word);
        if found {
            self.words.next();
        }
        found
    }

    fn expect(&mut self, word: &str) {
        assert!(self.eat(word), "no {word} before {:?}", self.words);
    }

    /// What `#name` stands for.
    fn name(&self, word: &str) -> String {
        let names = self.request.expression_attribute_names();
        names.and_then(|names| names.get(word)).map_or(word, String::as_str).to_owned()
    }

    /// What the next `:value` stands for.
    fn value(&mut self) -> AttributeValue {
        let word = self.next().expect("a value");
        let values = self.request.expression_attribute_values();
        values.and_then(|values| values.get(&word)).unwrap_or_else(|| panic!("no value {word}")).clone()
    }

    fn any_of(&mut self, item: &Item) -> bool {
        let mut holds = self.all_of(item);
        while self.eat("OR") {
            holds |= self.all_of(item);
        }
        holds
    }

    fn all_of(&mut self, item: &Item) -> bool {
        let mut holds = self.term(item);
        while self.eat("AND") {
            holds &= self.term(item);
        }
        holds
    }

    fn term(&mut self, item: &Item) -> bool {
        if self.eat("(") {
            let holds = self.any_of(item);
            self.expect(")");
            return holds;
        }
        let word = self.next().expect("a term");
        if word.starts_with("attribute_") {
            self.expect("(");
            let name = self.next().expect("a name");
            self.expect(")");
            return item.contains_key(&self.name(&name)) == (word == "attribute_exists");
        }
        let found = item.get(&self.name(&word)).and_then(|value| value.as_s().ok()).cloned();
        self.compare(found)
    }

    fn compare(&mut self, found: Option<String>) -> bool {
        let operator = self.next().expect("an operator");
        if operator == "IN" {
            self.expect("(");
            let mut holds = false;
            while !self.eat(")") {
                holds |= found == Some(self.text());
            }
            return holds;
        }
        let value = self.text();
        found.is_some_and(|found| match operator.as_str() {
            "=" => found == value,
            "<" => found < value,
            other => panic!("not expected in a condition: {other}"),
        })
    }

    fn text(&mut self) -> String {
        self.value().as_s().expect("a text").clone()
    }
}
