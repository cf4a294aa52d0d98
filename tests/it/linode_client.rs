//! The Linode adapter against answers as recorded from the live API, and against much worse.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rstest::rstest;
use secrecy::SecretString;
use serde_json::{Value, json};
use windlass::domain::{Dollars, Instance, InstanceId, InstanceLabel, InstanceStatus};
use windlass::linode::{LinodeCloud, LinodeSettings};
use windlass::ports::{Cloud, CreateRequest, Deletion, Fault};
use wiremock::matchers::{body_partial_json, header, method, path, query_param};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// A token that the API under test must know.
pub const TOKEN: &str = "0123456789abcdef-not-a-real-token";
const TAG: &str = "windlass:pool=web";

/// A client for any Linode API, quick enough to give up within a test, and patient
/// with a busy machine.
pub fn client(base_url: &str) -> LinodeCloud {
    let settings = LinodeSettings {
        base_url: base_url.into(),
        connect_timeout: Duration::from_secs(8),
        request_timeout: Duration::from_secs(8),
        call_budget: Duration::from_secs(40),
        body_limit: 256 * 1024,
    };
    LinodeCloud::new(settings, SecretString::from(TOKEN)).expect("the settings are usable")
}

fn request() -> CreateRequest {
    CreateRequest {
        label: InstanceLabel::new("web-0123456789ab").unwrap(),
        instance_type: "g6-standard-2".into(),
        region: "eu-central".into(),
        image: "linode/debian12".into(),
        tags: vec![TAG.into(), "windlass:host=a".into()],
        vlan: "app".into(),
        address: Ipv4Addr::new(10, 10, 0, 20),
        prefix: 24,
        firewall: Some(4711),
        authorized_keys: vec!["ssh-ed25519 AAAA ops\n".into()],
        user_data: SecretString::from("#cloud-config\n# host key: hush-hush\n"),
    }
}

/// What the API would make of [`request`]; `change` is laid over it.
fn instance(change: Value) -> Value {
    let wanted = request();
    let mut body = recorded("POST", "/v4beta/linode/instances", 200);
    for (key, value) in json!({
        "label": wanted.label, "type": wanted.instance_type, "region": wanted.region,
        "tags": wanted.tags, "a_field_of_tomorrow": {"deep": [1, null]},
    })
    .as_object()
    .into_iter()
    .chain(change.as_object())
    .flatten()
    {
        body[key] = value.clone();
    }
    body
}

/// The first recorded answer to such a request.
fn recorded(method: &str, path: &str, status: u16) -> Value {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/linode/recorded-samples.json");
    let text = std::fs::read_to_string(file).expect("the recordings are in the repository");
    let samples: Value = serde_json::from_str(&text).expect("recordings are JSON");
    let exchanges = samples["exchanges"].as_array().expect("recordings hold exchanges");
    let fits = |exchange: &&Value| {
        exchange["method"] == method
            && exchange["status"] == status
            && exchange["path"].as_str().is_some_and(|recorded| recorded.starts_with(path))
    };
    let found = exchanges.iter().find(fits);
    found.unwrap_or_else(|| panic!("no recording of {method} {path} {status}"))["response"].clone()
}

fn page(instances: Vec<Value>) -> Value {
    json!({"results": instances.len(), "data": instances, "page": 1, "pages": 1})
}

fn reason(reason: &str) -> Value {
    json!({"errors": [{"reason": reason}]})
}

fn at_field(field: &str, reason: &str) -> Value {
    json!({"errors": [{"reason": reason, "field": field}]})
}

/// A server that answers creates in one way and every look with the same page.
async fn server_where(create: ResponseTemplate, looks: Vec<Value>) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(create).mount(&server).await;
    let answer = ResponseTemplate::new(200).set_body_json(page(looks));
    Mock::given(method("GET")).respond_with(answer).mount(&server).await;
    server
}

async fn create_at(server: &MockServer) -> Result<Instance, Fault> {
    client(&server.uri()).create(&request()).await
}

fn answer(status: u16, body: Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(body)
}

fn html(status: u16) -> ResponseTemplate {
    let body = "<html><head><title>400 Bad Request</title></head><hr>nginx</html>";
    ResponseTemplate::new(status).set_body_raw(body, "text/html").insert_header("server", "nginx")
}

#[tokio::test]
async fn a_create_sends_everything_in_one_call() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v4/linode/instances"))
        .and(header("authorization", format!("Bearer {TOKEN}").as_str()))
        .and(header("content-type", "application/json"))
        .and(body_partial_json(json!({
            "label": "web-0123456789ab", "type": "g6-standard-2", "region": "eu-central",
            "image": "linode/debian12", "tags": [TAG, "windlass:host=a"], "booted": true,
            "authorized_keys": ["ssh-ed25519 AAAA ops"], "firewall_id": 4711,
            "interface_generation": "legacy_config",
            "interfaces": [
                {"purpose": "public"},
                {"purpose": "vlan", "label": "app", "ipam_address": "10.10.0.20/24"},
            ],
            "metadata": {"user_data": "I2Nsb3VkLWNvbmZpZwojIGhvc3Qga2V5OiBodXNoLWh1c2gK"},
        })))
        .respond_with(answer(200, instance(json!({"id": 97}))))
        .expect(1)
        .mount(&server)
        .await;

    let made = client(&format!("{}/v4", server.uri())).create(&request()).await.unwrap();

    assert_eq!(made.id, InstanceId(97));
    assert_eq!(made.status, InstanceStatus::Provisioning);
    assert_eq!(made.tags, request().tags);
    assert_eq!(made.created_at, Some("2018-01-02T03:04:05Z".parse().unwrap()));
}

#[tokio::test]
async fn a_create_is_what_the_official_document_asks_for() {
    let server = server_where(answer(200, instance(json!({}))), vec![]).await;
    create_at(&server).await.unwrap();
    let sent = server.received_requests().await.unwrap()[0].body_json::<Value>().unwrap();

    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/linode/openapi-trimmed.json");
    let text = std::fs::read_to_string(file).expect("the document is beside the package");
    let document: Value = serde_json::from_str(&text).expect("the document is JSON");
    let operation = &document["paths"]["/linode/instances"]["post"];
    let mut schema = operation["requestBody"]["content"]["application/json"]["schema"].clone();
    assert!(schema.is_object(), "the document describes the create's body");
    schema["components"] = document["components"].clone();
    let validator = jsonschema::validator_for(&schema).expect("the schema can be used");
    let problems: Vec<_> = validator.iter_errors(&sent).map(|error| error.to_string()).collect();
    assert_eq!(problems, Vec::<String>::new(), "{sent:#}");
    assert!(!validator.is_valid(&json!({"label": "--"})), "the schema can say no");
}

#[tokio::test]
async fn user_data_over_the_limit_is_never_sent() {
    let server = server_where(answer(200, instance(json!({}))), vec![]).await;
    let too_much = SecretString::from("x".repeat(16_385));
    let request = CreateRequest { user_data: too_much, ..request() };
    let fault = client(&server.uri()).create(&request).await.unwrap_err();
    assert_eq!(fault.kind(), "permanent");
    assert!(fault.to_string().contains("16385 bytes"), "{fault}");
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[rstest]
#[case::sold_out(
    answer(
        403,
        reason(
            "The Linode plan you chose is not currently available in the selected region. Please select \
     another region or plan type, or contact Support for assistance."
        )
    ),
    "out_of_capacity",
    "not currently available"
)]
#[case::no_room(
    answer(400, at_field("region", "This region has no CAPACITY for this plan")),
    "out_of_capacity",
    "`region`: This region has no CAPACITY"
)]
#[case::account_limit(
    answer(400, reason("Account Limit reached. Please open a support ticket.")),
    "denied",
    "lower `max`"
)]
#[case::plan_limit(
    answer(
        400,
        at_field(
            "type",
            "A limit on your account is preventing the deployment of the selected Linode plan."
        )
    ),
    "denied",
    "open a support ticket"
)]
#[case::a_length_limit_is_a_mistake(
    answer(400, at_field("image", "Over the limit of 64 letters")),
    "permanent",
    "`image`: Over the limit"
)]
#[case::unknown_region(
    answer(400, at_field("region", "region is not valid")),
    "permanent",
    "`region`: region is not valid"
)]
#[case::bad_tag(
    answer(400, at_field("tags[0]", "Tag 'x' must be between 3 and 50 characters")),
    "permanent",
    "`tags[0]`"
)]
#[case::policy(
    answer(400, recorded("PUT", "/v4beta/linode/instances/82374041", 400)),
    "permanent",
    "`maintenance_policy`: Unsupported"
)]
#[case::no_credential(
    answer(400, reason("Must provide valid root_pass, authorized_keys, or authorized_users")),
    "permanent",
    "Must provide valid"
)]
#[case::busy(
    answer(400, recorded("POST", "/v4beta/linode/instances/97900566/disks", 400)),
    "transient",
    "Linode busy."
)]
#[case::nginx(html(400), "transient", "not the Linode API")]
#[case::too_many(
    answer(429, recorded("DELETE", "/v4beta/networking/reserved/ips/192.0.2.0", 429)),
    "transient",
    "rate limit"
)]
#[case::bad_token(
    answer(401, recorded("GET", "/v4beta/networking/reserved/ips", 401)),
    "denied",
    "token file"
)]
#[case::scope(answer(401, reason("Your OAuth token is not authorized to use this endpoint."))
    .insert_header("X-OAuth-Scopes", "linodes:read_only")
    .insert_header("X-Accepted-OAuth-Scopes", "linodes:read_write"),
    "denied", "lacks a scope")]
#[case::grant(answer(403, reason("Unauthorized")), "denied", "the right to add Linodes")]
#[case::firewall_page(html(403), "denied", "what stands between")]
#[case::moved(ResponseTemplate::new(302).insert_header("location", "http://127.0.0.1:9/"),
    "transient", "check the API's URL")]
#[tokio::test]
async fn a_refused_create_is_sorted_by_what_to_do(
    #[case] refusal: ResponseTemplate,
    #[case] kind: &str,
    #[case] says: &str,
) {
    // A machine of that label exists: a refusal must not even look for it.
    let server = server_where(refusal, vec![instance(json!({}))]).await;
    let fault = create_at(&server).await.unwrap_err();
    assert_eq!(fault.kind(), kind, "{fault}");
    assert!(fault.to_string().contains(says), "{fault}");
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[rstest]
#[case::taken(answer(400, at_field("label", "Label must be unique among your linodes")))]
#[case::server_error(answer(500, reason("Internal Server Error")))]
#[case::bad_gateway(html(502))]
#[case::request_timeout(answer(408, reason("Request Timeout")))]
#[case::silence(answer(200, json!({})).set_delay(Duration::from_secs(30)))]
#[case::garbage(ResponseTemplate::new(200).set_body_string("{\"id\": 5, \"lab"))]
#[case::too_long(ResponseTemplate::new(200).set_body_bytes(vec![b' '; 300 * 1024]))]
#[tokio::test]
async fn a_create_in_doubt_adopts_what_it_asked_for_and_nothing_else(
    #[case] doubtful: ResponseTemplate,
) {
    let cases = [
        (vec![instance(json!({"id": 5, "status": "running"}))], "adopted", "it is ours"),
        (
            vec![
                instance(json!({"id": 4, "label": "other", "tags": []})),
                instance(json!({"id": 5, "tags": [TAG, "windlass:host=a", "by-hand"]})),
            ],
            "adopted",
            "the label decides and further tags do no harm",
        ),
        (vec![], "in_doubt", "nothing is listed yet"),
        (vec![instance(json!({"label": "other"}))], "in_doubt", "another label was listed"),
        (vec![instance(json!({"tags": [TAG]}))], "permanent", "a tag is missing"),
        (vec![instance(json!({"region": "us-east"}))], "permanent", "another region"),
        (vec![instance(json!({"type": "g6-nanode-1"}))], "permanent", "another plan"),
        (vec![instance(json!({"type": null}))], "permanent", "no plan at all"),
        (vec![json!({"id": 5})], "in_doubt", "the look brought garbage"),
    ];
    // At the same time, because silence has to be waited out.
    futures_util::future::join_all(cases.map(async |(found, kind, because)| {
        let server = server_where(doubtful.clone(), found).await;
        let outcome = match create_at(&server).await {
            Ok(instance) if instance.id == InstanceId(5) => "adopted",
            Ok(_) => "adopted a stranger",
            Err(fault) => fault.kind(),
        };
        assert_eq!(outcome, kind, "{because}");
    }))
    .await;
}

#[tokio::test]
async fn a_create_whose_look_is_refused_stays_in_doubt() {
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(html(502)).mount(&server).await;
    Mock::given(method("GET")).respond_with(answer(429, reason("Slow"))).mount(&server).await;
    let fault = create_at(&server).await.unwrap_err();
    assert_eq!(fault.kind(), "in_doubt", "{fault}");
    assert!(fault.to_string().contains("answered 502"), "{fault}");
}

#[tokio::test]
async fn a_create_that_never_left_is_transient_and_one_that_was_cut_off_is_in_doubt() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let cut_off = tokio::spawn(async move {
        // Every connection is taken and closed, as by a proxy that restarts.
        while let Ok((connection, _)) = listener.accept().await {
            drop(connection);
        }
    });
    let fault = client(&base).create(&request()).await.unwrap_err();
    assert_eq!(fault.kind(), "in_doubt", "{fault}");
    cut_off.abort();
    assert!(cut_off.await.unwrap_err().is_cancelled(), "now nobody listens");

    let fault = client(&base).create(&request()).await.unwrap_err();
    assert_eq!(fault.kind(), "transient", "{fault}");
    assert!(!fault.to_string().contains("127.0.0.1"), "{fault}");
}

#[tokio::test]
async fn after_a_rate_limit_nothing_is_sent_until_it_ends() {
    for (status, headers) in [
        (429, [("retry-after", "30"), ("x-ratelimit-limit", "20")]),
        (200, [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "99999999999")]),
    ] {
        let body = if status == 200 { instance(json!({})) } else { reason("Too many requests") };
        let mut refusal = answer(status, body);
        for (name, value) in headers {
            refusal = refusal.insert_header(name, value);
        }
        let server = server_where(refusal, vec![]).await;
        let cloud = client(&server.uri());
        let _ = cloud.create(&request()).await;

        let fault = cloud.clone().create(&request()).await.unwrap_err();

        let Fault::Transient { retry_after: Some(wait), .. } = fault else {
            panic!("not a wait: {fault:?}")
        };
        assert!((25..=60).contains(&wait.as_secs()), "{wait:?}");
        assert_eq!(server.received_requests().await.unwrap().len(), 1, "after a {status}");
        assert_eq!(cloud.instances(TAG).await, Ok(vec![]), "looks have a limit of their own");
    }
}

/// Lists `total` instances, fifty a page whatever was asked for; the first `unsettled` listings
/// lose an instance between their pages.
struct Pages {
    total: usize,
    unsettled: usize,
    listings: AtomicUsize,
}

impl Respond for Pages {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let query: std::collections::HashMap<_, _> = request.url.query_pairs().collect();
        let number: usize = query["page"].parse().expect("the page is a number");
        let listing = match number {
            1 => self.listings.fetch_add(1, Ordering::SeqCst),
            _ => self.listings.load(Ordering::SeqCst) - 1,
        };
        let gone = usize::from(number > 1 && listing < self.unsettled);
        let ids: Vec<_> = (0..self.total).skip(gone).collect();
        let data: Vec<_> = ids
            .chunks(50)
            .nth(number - 1)
            .unwrap_or_default()
            .iter()
            .map(|id| instance(json!({"id": id, "label": format!("web-{id}")})))
            .collect();
        let pages = ids.len().div_ceil(50);
        answer(200, json!({"data": data, "page": number, "pages": pages, "results": ids.len()}))
    }
}

async fn server_with_pages(total: usize, unsettled: usize) -> MockServer {
    let server = MockServer::start().await;
    let pages = Pages { total, unsettled, listings: AtomicUsize::new(0) };
    Mock::given(method("GET"))
        .and(path("/linode/instances"))
        .respond_with(pages)
        .mount(&server)
        .await;
    server
}

#[tokio::test]
async fn a_hundred_and_twenty_instances_come_over_three_pages() {
    let server = server_with_pages(120, 0).await;
    let instances = client(&server.uri()).instances(TAG).await.unwrap();
    let ids: Vec<_> = instances.iter().map(|instance| instance.id.0).collect();
    assert_eq!(ids, (0..120).collect::<Vec<_>>());
    assert_eq!(server.received_requests().await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_listing_that_changed_underneath_is_read_again() {
    let server = server_with_pages(120, 1).await;
    let instances = client(&server.uri()).instances(TAG).await.unwrap();
    assert_eq!(instances.len(), 120);
    assert_eq!(server.received_requests().await.unwrap().len(), 6);
}

#[tokio::test]
async fn a_listing_that_never_settles_is_a_fault_and_not_a_part() {
    let server = server_with_pages(120, usize::MAX).await;
    let fault = client(&server.uri()).instances(TAG).await.unwrap_err();
    assert_eq!(fault.kind(), "transient");
    assert_eq!(server.received_requests().await.unwrap().len(), 9, "three readings, no more");
}

#[tokio::test]
async fn tags_are_asked_for_and_checked_again() {
    let server = MockServer::start().await;
    let listed = vec![
        instance(json!({"id": 1})),
        instance(json!({"id": 2, "tags": ["windlass:pool=other"]})),
        instance(json!({"id": 3, "tags": ["WINDLASS:POOL=WEB"]})),
        instance(json!({"id": 4, "tags": [TAG], "status": "dancing", "locks": null})),
    ];
    Mock::given(method("GET"))
        .and(header("x-filter", format!("{{\"tags\":\"{TAG}\"}}").as_str()))
        .and(query_param("page_size", "500"))
        .respond_with(answer(200, page(listed)))
        .mount(&server)
        .await;
    let instances = client(&server.uri()).instances(TAG).await.unwrap();
    let seen: Vec<_> = instances.iter().map(|one| (one.id.0, one.status.clone())).collect();
    let dancing = InstanceStatus::Other("dancing".into());
    assert_eq!(seen, [(1, InstanceStatus::Provisioning), (4, dancing)]);
}

#[rstest]
#[case::not_json(ResponseTemplate::new(200).set_body_string("hello"), "is no JSON")]
#[case::empty(ResponseTemplate::new(200), "is no JSON")]
#[case::another_shape(answer(200, json!({"data": {}})), "unknown shape")]
#[case::a_nameless_instance(answer(200, page(vec![json!({"id": 1})])), "unknown shape")]
#[case::no_tags(answer(200, page(vec![instance(json!({"tags": null}))])), "unknown shape")]
#[case::too_long(ResponseTemplate::new(200).set_body_bytes(vec![b'['; 300 * 1024]), "bytes long")]
#[case::a_page(html(200), "is no JSON")]
#[case::maintenance(answer(503, reason("Down")).insert_header("X-Maintenance-Mode", "all,x"), "503")]
#[case::gateway(html(504), "answered 504")]
#[tokio::test]
async fn a_listing_that_cannot_be_read_is_a_fault_and_never_empty(
    #[case] bad: ResponseTemplate,
    #[case] says: &str,
) {
    let server = MockServer::start().await;
    Mock::given(method("GET")).respond_with(bad).mount(&server).await;
    let fault = client(&server.uri()).instances(TAG).await.unwrap_err();
    assert_eq!(fault.kind(), "transient", "{fault}");
    assert!(fault.to_string().contains(says), "{fault}");
}

#[tokio::test]
async fn a_look_is_repeated_once_and_a_change_never() {
    let server = MockServer::start().await;
    Mock::given(method("GET")).respond_with(html(502)).up_to_n_times(1).mount(&server).await;
    let gone = answer(200, page(vec![]));
    Mock::given(method("GET")).respond_with(gone).mount(&server).await;
    Mock::given(method("POST")).respond_with(html(502)).expect(1).mount(&server).await;
    let cloud = client(&server.uri());
    assert_eq!(cloud.find(&request().label).await, Ok(None));
    assert_eq!(cloud.boot(InstanceId(5)).await.unwrap_err().kind(), "transient");
}

#[tokio::test]
async fn a_label_is_found_whatever_its_tags() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(header("x-filter", "{\"label\":\"web-0123456789ab\"}"))
        .respond_with(answer(200, page(vec![instance(json!({"id": 5, "tags": []}))])))
        .mount(&server)
        .await;
    let found = client(&server.uri()).find(&request().label).await.unwrap().unwrap();
    assert_eq!(found.id, InstanceId(5));
}

#[rstest]
#[case::ours(answer(200, instance(json!({}))), answer(200, json!({})), Ok(Deletion::Accepted), 2)]
#[case::gone_before(answer(404, reason("Not found")), html(500), Ok(Deletion::AlreadyGone), 1)]
#[case::gone_since(answer(200, instance(json!({}))), answer(404, reason("Not found")),
    Ok(Deletion::AlreadyGone), 2)]
#[case::tag_taken_off(answer(200, instance(json!({"tags": ["mine"]}))), html(500),
    Ok(Deletion::NotOurs), 1)]
#[case::locked(answer(200, instance(json!({"locks": ["cannot_delete"]}))), html(500),
    Err("denied"), 1)]
#[case::a_proxys_404_is_no_proof(html(404), html(500), Err("transient"), 1)]
#[case::garbage(answer(200, json!({"tags": [TAG]})), html(500), Err("transient"), 1)]
#[case::busy(answer(200, instance(json!({}))), answer(400, reason("Linode busy.")),
    Err("transient"), 2)]
#[case::silence(answer(200, instance(json!({}))),
    answer(200, json!({})).set_delay(Duration::from_secs(30)), Err("in_doubt"), 2)]
#[tokio::test]
async fn a_delete_looks_at_the_tags_first(
    #[case] look: ResponseTemplate,
    #[case] delete: ResponseTemplate,
    #[case] expected: Result<Deletion, &str>,
    #[case] requests: usize,
) {
    let server = MockServer::start().await;
    let instance_path = || path("/linode/instances/5");
    Mock::given(method("GET")).and(instance_path()).respond_with(look).mount(&server).await;
    Mock::given(method("DELETE")).and(instance_path()).respond_with(delete).mount(&server).await;
    let outcome = client(&server.uri()).delete(InstanceId(5), TAG).await;
    assert_eq!(outcome.as_ref().map_err(Fault::kind), expected.as_ref().map_err(|kind| *kind));
    assert_eq!(server.received_requests().await.unwrap().len(), requests);
}

#[rstest]
#[case::started(answer(200, json!({})), Ok(()))]
#[case::started_before(answer(400, reason("Linode 5 is already booted.")), Ok(()))]
#[case::busy(answer(400, reason("Linode busy.")), Err("transient"))]
#[case::no_disk(answer(400, reason("Linode has no bootable config")), Err("permanent"))]
#[case::gone(answer(404, reason("Not found")), Err("permanent"))]
#[tokio::test]
async fn a_boot_of_what_runs_is_no_fault(
    #[case] answer: ResponseTemplate,
    #[case] expected: Result<(), &str>,
) {
    let server = MockServer::start().await;
    let boot = path("/linode/instances/5/boot");
    Mock::given(method("POST")).and(boot).respond_with(answer).mount(&server).await;
    let outcome = client(&server.uri()).boot(InstanceId(5)).await;
    assert_eq!(outcome.as_ref().map_err(Fault::kind), expected.as_ref().map_err(|kind| *kind));
}

#[tokio::test]
async fn a_price_is_the_regions_own_and_read_once() {
    let types = recorded("GET", "/v4beta/linode/types?page=1", 200);
    let nanode = types["data"][0].clone();
    let server = MockServer::start().await;
    Mock::given(path("/linode/types/g6-nanode-1"))
        .respond_with(answer(200, nanode))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(path("/linode/types/no-such"))
        .respond_with(answer(404, recorded("GET", "/v4beta/linode/types/does-not-exist", 404)))
        .mount(&server)
        .await;
    let cloud = client(&server.uri());
    let price = async |region| cloud.hourly_price("g6-nanode-1", region).await.unwrap();
    assert_eq!(price("br-gru").await, Dollars::new(0.0105).unwrap());
    assert_eq!(price("eu-central").await, Dollars::new(0.0075).unwrap());
    let fault = cloud.hourly_price("no-such", "eu-central").await.unwrap_err();
    assert_eq!(fault.to_string(), "reading the price of no-such: Linode has no such plan");
}

#[tokio::test]
async fn access_tells_a_bad_token_from_a_bad_line() {
    let listing = || answer(200, page(vec![instance(json!({}))]));
    for (reply, expected, because) in [
        (listing(), Ok(()), "a token whose scopes nobody names may do"),
        (listing().insert_header("X-OAuth-Scopes", "*"), Ok(()), "all scopes"),
        (
            listing().insert_header("X-OAuth-Scopes", "events:read_only linodes:read_write"),
            Ok(()),
            "the scope is among them",
        ),
        (
            listing().insert_header("X-OAuth-Scopes", "linodes:read_only"),
            Err("denied"),
            "it may only look",
        ),
        (answer(401, reason("Invalid Token")), Err("denied"), "an unknown token"),
        (html(502), Err("transient"), "the API is down"),
        (ResponseTemplate::new(200), Err("transient"), "something else answers"),
    ] {
        let server = MockServer::start().await;
        Mock::given(method("GET")).respond_with(reply).mount(&server).await;
        let outcome = client(&server.uri()).verify_access().await;
        assert_eq!(
            outcome.as_ref().map_err(Fault::kind),
            expected.as_ref().map_err(|k| *k),
            "{because}"
        );
    }
}

#[tokio::test]
async fn network_helper_is_read_from_the_account() {
    let server = MockServer::start().await;
    Mock::given(path("/account/settings"))
        .respond_with(answer(200, recorded("GET", "/v4beta/account/settings", 200)))
        .mount(&server)
        .await;
    assert_eq!(client(&server.uri()).network_helper_enabled().await, Ok(false));
}

#[tokio::test]
async fn the_token_shows_up_nowhere() {
    let echo = reason(&format!("what a nice token: {TOKEN}, with {}", "words ".repeat(400)));
    let mut texts = vec![];
    for status in [400, 401, 403, 404, 409, 422, 500, 503] {
        let server = MockServer::start().await;
        Mock::given(wiremock::matchers::any())
            .respond_with(answer(status, echo.clone()))
            .mount(&server)
            .await;
        let cloud = client(&server.uri());
        texts.push(format!("{cloud:?}"));
        for fault in [
            cloud.create(&request()).await.unwrap_err(),
            cloud.instances(TAG).await.unwrap_err(),
            cloud.boot(InstanceId(5)).await.unwrap_err(),
            cloud.verify_access().await.unwrap_err(),
        ] {
            assert!(fault.to_string().len() < 900, "not cut: {fault}");
            texts.push(format!("{fault} {fault:?}"));
        }
    }
    for token in ["", "two words", "line\nbreak", "naïve"] {
        let settings = LinodeSettings::default();
        let refused = LinodeCloud::new(settings, SecretString::from(token)).unwrap_err();
        assert!(
            refused.to_string().contains("token file") || refused.to_string().contains("its file")
        );
        texts.push(format!("{refused} {refused:?}").replace("two words", TOKEN));
    }
    texts.push(format!("{:?}", request()));
    for text in texts {
        assert!(!text.contains(TOKEN) && !text.contains("hush-hush"), "{text}");
    }
}

#[test]
fn a_url_that_cannot_be_used_says_how_to_write_it() {
    for url in ["", "api.linode.com/v4", "ftp://api.linode.com", "https://me:pw@api.linode.com/v4"]
    {
        let settings = LinodeSettings { base_url: url.into(), ..LinodeSettings::default() };
        let refused =
            LinodeCloud::new(settings, SecretString::from(TOKEN)).unwrap_err().to_string();
        assert!(refused.contains("https://api.linode.com/v4"), "{refused}");
        assert!(!refused.contains("pw"), "{refused}");
    }
}

mod whatever_comes_back {
    use super::*;
    use proptest::prelude::*;

    fn bodies() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..200),
            ".{0,80}".prop_map(|text| reason(&text).to_string().into_bytes()),
            ("[a-z]{0,8}", ".{0,40}").prop_map(|(f, r)| at_field(&f, &r).to_string().into_bytes()),
            Just(page(vec![instance(json!({}))]).to_string().into_bytes()),
            Just(instance(json!({})).to_string().into_bytes()),
            (any::<u32>(), 0..4_u32).prop_map(|(results, pages)| {
                json!({"data": [], "pages": pages, "results": results}).to_string().into_bytes()
            }),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]
        #[test]
        fn no_answer_panics_and_no_doubt_is_called_transient(
            status in prop_oneof![200..600_u16, Just(200), Just(400), Just(403), Just(503)],
            body in bodies(),
        ) {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let created = runtime.block_on(async {
                let server = MockServer::start().await;
                let reply = ResponseTemplate::new(status).set_body_bytes(body);
                Mock::given(wiremock::matchers::any()).respond_with(reply).mount(&server).await;
                let cloud = client(&server.uri());
                let _ = cloud.instances(TAG).await;
                let _ = cloud.boot(InstanceId(5)).await;
                let _ = cloud.delete(InstanceId(5), TAG).await;
                let _ = cloud.hourly_price("../g6?", "eu-central").await;
                let _ = cloud.verify_access().await;
                cloud.create(&request()).await
            });
            if let (200..300 | 408 | 500.., Err(fault)) = (status, created) {
                prop_assert!(matches!(fault.kind(), "in_doubt" | "permanent"), "{fault:?}");
            }
        }
    }
}
