//! Pages of a collection.
//!
//! In: the query string's `page` and `page_size`, and everything there is.
//! Out: the envelope `{"data", "page", "pages", "results"}`.
//! Never: a snapshot: what changes between two pages shows, as in the real API.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::errors::{Complaint, Refusal};

/// Which page of which size was asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Page {
    number: usize,
    size: usize,
}

impl Page {
    /// Page 1 of 100 unless the query says otherwise; sizes are 25 to 500.
    pub fn parse(query: &BTreeMap<String, String>) -> Result<Self, Refusal> {
        let mut complaints = Vec::new();
        let mut number = |key: &str, default: usize, least: usize, most: usize, reason: &str| {
            let Some(text) = query.get(key) else { return default };
            match text.parse() {
                Ok(value) if (least..=most).contains(&value) => value,
                _ => {
                    complaints.push(Complaint::on(key, reason));
                    default
                }
            }
        };
        let page = Self {
            number: number("page", 1, 1, usize::MAX, "page must be 1 or more"),
            size: number("page_size", 100, 25, 500, "page_size must be between 25 and 500"),
        };
        Refusal::unless_empty(complaints)?;
        Ok(page)
    }

    /// The envelope with this page of `all`. An empty collection still has one page.
    pub fn of(self, all: Vec<Value>) -> Value {
        let results = all.len();
        let pages = results.div_ceil(self.size).max(1);
        let skip = self.size.saturating_mul(self.number - 1);
        let data: Vec<Value> = all.into_iter().skip(skip).take(self.size).collect();
        json!({"data": data, "page": self.number, "pages": pages, "results": results})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(query: &[(&str, &str)]) -> Result<Page, Refusal> {
        let pair = |(key, value): &(&str, &str)| (key.to_string(), value.to_string());
        Page::parse(&query.iter().map(pair).collect())
    }

    #[test]
    fn pages_cover_everything_once() {
        let all: Vec<Value> = (0..120).map(Value::from).collect();
        let mut seen = Vec::new();
        for number in ["1", "2", "3", "4", "5"] {
            let asked = page(&[("page", number), ("page_size", "25")]).expect("legal");
            let envelope = asked.of(all.clone());
            assert_eq!(
                (envelope["pages"].as_u64(), envelope["results"].as_u64()),
                (Some(5), Some(120))
            );
            seen.extend(envelope["data"].as_array().expect("a list").clone());
        }
        assert_eq!(seen, all);
    }

    #[test]
    fn an_empty_collection_has_one_empty_page() {
        let envelope = page(&[]).expect("legal").of(Vec::new());
        assert_eq!(envelope, json!({"data": [], "page": 1, "pages": 1, "results": 0}));
    }

    #[test]
    fn sizes_out_of_range_name_the_field() {
        for size in ["24", "501", "many", "-1"] {
            let refusal = page(&[("page_size", size)]).expect_err(size);
            assert_eq!(refusal.complaints[0].field.as_deref(), Some("page_size"), "{size}");
        }
        assert_eq!(
            page(&[("page", "0")]).expect_err("0").complaints[0].field.as_deref(),
            Some("page")
        );
    }
}
