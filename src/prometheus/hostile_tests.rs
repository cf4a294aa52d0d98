//! Answers of something that may not be Prometheus.

use proptest::prelude::*;

use super::answer::{presentable, result};
use super::source::{moment, usable};
use crate::hostile_tests::{hostile, nested};

const BODIES: [&str; 4] = [
    r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"instance":"10.0.0.1:9100"},"value":[1700000000.123,"42.5"]},{"metric":{},"value":[1700000000,"NaN"]}]}}"#,
    r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1700000000,"1"],[1700000015,"+Inf"]]}]},"warnings":["PromQL info: a hint"]}"#,
    r#"{"status":"success","data":{"resultType":"scalar","result":[1700000000,"3"]}}"#,
    r#"{"status":"error","errorType":"bad_data","error":"parse error at char 5: http://10.0.0.1:9090/x exceeded maximum resolution"}"#,
];

proptest! {
    #[test]
    fn no_body_makes_the_reader_panic_or_a_message_endless(
        status in 100..1_000_u16,
        body in hostile(&BODIES),
    ) {
        if let Err(failure) = result(status, &body) {
            prop_assert!(failure.message().chars().count() < 1_000);
        }
    }

    #[test]
    fn no_number_makes_a_moment_or_a_value_of_what_is_none(bits in any::<u64>()) {
        let number = f64::from_bits(bits);
        let _ = moment(number);
        if let Ok(value) = usable(number) {
            prop_assert!(value.is_finite() && 0.0 <= value);
        }
    }

    #[test]
    fn the_servers_words_are_cut_wherever_they_come_from(text in "(?s).{0,900}") {
        prop_assert!(presentable(&text).chars().count() <= 301);
    }
}

#[test]
fn a_body_nested_without_end_is_no_answer() {
    for (open, close) in
        [("[", "]"), ("{\"data\":", "}"), ("{\"status\":\"success\",\"data\":[", "]}")]
    {
        assert!(result(200, nested(open, close).as_bytes()).is_err(), "{open}");
    }
}
