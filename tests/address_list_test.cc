#include "jobs/address_list.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <random>

#include "jobs/field_rules.h"
#include "jobs/list_literal.h"
#include "jobs/punycode.h"
#include "jobs/unicode.h"

namespace reelbatch {
namespace {

using List = std::vector<std::string>;
using Form = RawValue::Form;

TEST_CASE("one address in its one form") {
  struct Case {
    std::string name;
    std::string_view text;
    std::string_view address;
  };
  const Case cases[] = {
      {"as it is", "https://a.example/1.jpg", "https://a.example/1.jpg"},
      {"http stays", "http://a.example/1.jpg", "http://a.example/1.jpg"},
      {"blanks", "  https://a.example/1.jpg\n", "https://a.example/1.jpg"},
      {"invisible blanks", "\xEF\xBB\xBF\xE2\x80\x8Bhttps://a.example/1.jpg\xC2\xA0", "https://a.example/1.jpg"},
      {"quotes", "\"https://a.example/1.jpg\"", "https://a.example/1.jpg"},
      {"angle brackets", "<https://a.example/1.jpg>", "https://a.example/1.jpg"},
      {"no scheme", "//a.example/1.jpg", "https://a.example/1.jpg"},
      {"www", "www.a.example/1.jpg", "https://www.a.example/1.jpg"},
      {"case of scheme and host", "HTTPS://A.Example/Photo.JPG", "https://a.example/Photo.JPG"},
      {"port", "https://a.example:8443/1.jpg", "https://a.example:8443/1.jpg"},
      {"empty port", "https://a.example:/1.jpg", "https://a.example/1.jpg"},
      {"query", "https://a.example/1.jpg?w=1080&q=75", "https://a.example/1.jpg?w=1080&q=75"},
      {"entity", "https://a.example/1.jpg?w=1080&amp;q=75", "https://a.example/1.jpg?w=1080&q=75"},
      {"entity twice", "https://a.example/1.jpg?w=1&amp;amp;q=7", "https://a.example/1.jpg?w=1&q=7"},
      {"space", "https://a.example/my photo.jpg", "https://a.example/my%20photo.jpg"},
      {"encoded stays", "https://a.example/my%20photo%C3%A9.jpg", "https://a.example/my%20photo%C3%A9.jpg"},
      {"accent", "https://a.example/cuisine-équipée.jpg?t=été",
       "https://a.example/cuisine-%C3%A9quip%C3%A9e.jpg?t=%C3%A9t%C3%A9"},
      {"stray percent", "https://a.example/100%.jpg", "https://a.example/100%25.jpg"},
      {"percent at the end", "https://a.example/a%2", "https://a.example/a%252"},
      {"unfit characters", "https://a.example/a{b}^`.jpg", "https://a.example/a%7Bb%7D%5E%60.jpg"},
      {"comma, pipe, semicolon", "https://a.example/w_1,h_2/a|b;c.jpg", "https://a.example/w_1,h_2/a|b;c.jpg"},
      {"address inside", "https://a.example/f?u=https://b.example/1.jpg",
       "https://a.example/f?u=https://b.example/1.jpg"},
      {"backslash as browsers", "https://a.example/b\\1.jpg?c=\\", "https://a.example/b/1.jpg?c=%5C"},
      {"host alone", "https://a.example", "https://a.example"},
      {"query right away", "https://a.example?x=1", "https://a.example?x=1"},
      {"one label", "http://localhost:8080/x", "http://localhost:8080/x"},
      {"IPv4", "http://127.0.0.1/x", "http://127.0.0.1/x"},
      {"IPv6", "http://[::1]:80/x", "http://[::1]:80/x"},
      {"IPv6 without port", "http://[2001:DB8::1]/x", "http://[2001:db8::1]/x"},
      {"IDN", "https://château-immo.example/1.jpg", "https://xn--chteau-immo-x7a.example/1.jpg"},
      {"IDN in capitals", "https://CHÂTEAU-immo.example/1.jpg", "https://xn--chteau-immo-x7a.example/1.jpg"},
      {"at in the path", "https://a.example/@me/1.jpg", "https://a.example/@me/1.jpg"},
      {"root dot", "https://a.example./1.jpg", "https://a.example./1.jpg"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const Result<std::string> address = normalise_address(c.text);
    REQUIRE_MESSAGE(address.has_value(), (address ? "" : address.error().message));
    CHECK(*address == c.address);
    CHECK(normalise_address(*address).value_or("") == c.address);
  }
}

TEST_CASE("what is no address is refused, saying why") {
  struct Case {
    std::string_view text;
    std::string_view why;
  };
  const Case cases[] = {
      {"", "'' is not an address: it is empty"},
      {"ref003_1.jpg", "'ref003_1.jpg' is not an address: needs to begin with http:// or https://"},
      {"/photos/1.jpg", "begin with http"},
      {"photos/1.jpg", "begin with http"},
      {"1234", "WordPress attachment ids"},
      {"ftp://a.example/1.jpg", "only http and https"},
      {"file:///C:/1.jpg", "cannot be fetched"},
      {"C:\\photos\\1.jpg", "cannot be fetched"},
      {"data:image/png;base64,iVBORw0KGgo=", "the image itself is in it"},
      {"javascript:alert(1)", "it is a script"},
      {"https:/a.example/1.jpg", "two slashes"},
      {"http:a.example", "two slashes"},
      {"https://", "the host is missing"},
      {"https:///1.jpg", "the host is missing"},
      {"https://?x", "the host is missing"},
      {"https://user:pass@a.example/1.jpg", "user name or password"},
      {"https://a.example:0/", "port"},
      {"https://a.example:65536/", "port"},
      {"https://a.example:8o/", "port"},
      {"https://a b.example/", "is no host name"},
      {"https://a..example/", "is no host name"},
      {"https://.example/", "is no host name"},
      {"https://a%20b.example/", "is no host name"},
      {"https://[::1/", "is no host name"},
      {"https://Ὀδυσσεύς.example/", "xn-- form"},
      {"https://e\xCC\x81t\xC3\xA9.example/", "xn-- form"},
      {"https://a.example/a\nb.jpg", "line break"},
      {"https://a.example/1.jpg</td>", "'https://a.example/1.jpg</td' is not an address: there is markup in it"},
      {"https://a.example/<b>1.jpg", "there is markup in it"},
      {"https://a.example/a\tb.jpg", "line break, tab"},
      {"https://a.example/\xFF.jpg", "not valid UTF-8"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const Result<std::string> address = normalise_address(c.text);
    REQUIRE(!address);
    CHECK(address.error().fault == Fault::Usage);
    CHECK_MESSAGE(address.error().message.find(c.why) != std::string::npos, address.error().message);
  }
  CHECK(!normalise_address("https://" + std::string(64, 'a') + ".example/"));
  CHECK(normalise_address("https://" + std::string(63, 'a') + ".example/"));
}

TEST_CASE("host labels beyond ASCII") {
  // The first three are from public registries' examples, the ideographs from RFC 3492 section 7.1.
  CHECK(ascii_label("bücher") == "xn--bcher-kva");
  CHECK(ascii_label("münchen") == "xn--mnchen-3ya");
  CHECK(ascii_label("пример") == "xn--e1afmkfd");
  CHECK(ascii_label("例え") == "xn--r8jz45g");
  CHECK(ascii_label("他们为什么不说中文") == "xn--ihqwcrb4cv8a8dqg056pqjye");
  CHECK(ascii_label("Plain-1") == "plain-1");
  CHECK(ascii_label("ÿ\xE2\x80\x8D") == std::nullopt);
  CHECK(ascii_label("\xC3") == std::nullopt);
}

TEST_CASE("lists") {
  struct Case {
    std::string name;
    std::string_view text;
    List addresses;
    List remarks;
    Form form = Form::Text;
  };
  const std::string a = "https://a.example/1.jpg";
  const std::string b = "https://b.example/2.jpg";
  const Case cases[] = {
      {"empty", "", {}, {}},
      {"blanks", " \n ", {}, {}},
      {"one", "https://a.example/1.jpg", {a}, {}},
      {"pipe", "https://a.example/1.jpg|https://b.example/2.jpg", {a, b}, {}},
      {"comma and space", "https://a.example/1.jpg, https://b.example/2.jpg", {a, b}, {}},
      {"semicolon", "https://a.example/1.jpg;https://b.example/2.jpg;", {a, b}, {}},
      {"space", "https://a.example/1.jpg https://b.example/2.jpg", {a, b}, {}},
      {"newline", "https://a.example/1.jpg\r\nhttps://b.example/2.jpg\n", {a, b}, {}},
      {"no-break space", "https://a.example/1.jpg\xC2\xA0https://b.example/2.jpg", {a, b}, {}},
      {"double pipe", "https://a.example/1.jpg||https://b.example/2.jpg", {a, b}, {}},
      {"pipe and hashes", "https://a.example/1.jpg|##|https://b.example/2.jpg", {a, b}, {}},
      {"quoted items", "\"https://a.example/1.jpg\",\"https://b.example/2.jpg\"", {a, b}, {}},
      {"apostrophe guard", "'https://a.example/1.jpg", {a}, {}},
      {"stray separators", " ,|https://a.example/1.jpg,, ;", {a}, {}},
      {"capital scheme", "https://a.example/1.jpg,HTTPS://b.example/2.jpg", {a, b}, {}},
      {"no scheme in the middle",
       "https://a.example/1.jpg|//b.example/2.jpg",
       {a, b},
       {"put https:// before 1 address"}},
      {"www everywhere",
       "www.a.example/1.jpg|www.b.example/2.jpg",
       {"https://www.a.example/1.jpg", "https://www.b.example/2.jpg"},
       {"put https:// before 2 addresses"}},
      {"commas inside survive",
       "https://a.example/w_10,h_20/1.jpg,https://b.example/2.jpg",
       {"https://a.example/w_10,h_20/1.jpg", b},
       {}},
      {"pipes inside survive",
       "https://a.example/a|b/1.jpg|https://b.example/2.jpg",
       {"https://a.example/a|b/1.jpg", b},
       {}},
      {"an address inside a query stays whole",
       "https://a.example/f?u=https://c.example/3.jpg|https://b.example/2.jpg",
       {"https://a.example/f?u=https://c.example/3.jpg", b},
       {}},
      {"space inside an address", "https://a.example/my photo.jpg", {"https://a.example/my%20photo.jpg"}, {}},
      {"duplicates",
       "https://a.example/1.jpg|https://a.example/1.jpg|https://b.example/2.jpg|HTTPS://A.example/1.jpg",
       {a, b},
       {"dropped 2 duplicates"}},
      {"entities",
       "https://a.example/1.jpg?x=1&amp;y=2",
       {"https://a.example/1.jpg?x=1&y=2"},
       {"read &amp; as & in 1 address"}},
      {"no photos",
       "https://a.example/1.jpg|https://a.example/epc.PDF?v=1|https://a.example/tour.mp4",
       {a},
       {"dropped 'https://a.example/epc.PDF?v=1', which is no photo",
        "dropped 'https://a.example/tour.mp4', which is no photo"}},
      {"a pdf only in the query is a photo",
       "https://a.example/1.jpg?from=x.pdf",
       {"https://a.example/1.jpg?from=x.pdf"},
       {}},
      {"nothing, in words", "nan", {}, {}},
      {"nothing, in another", "N/A", {}, {}},
      {"WooCommerce comma",
       "https://a.example/w_1\\,h_2/1.jpg, https://b.example/2.jpg",
       {"https://a.example/w_1,h_2/1.jpg", b},
       {}},
      {"WebToffee caption",
       "https://a.example/1.jpg ! alt : a kitchen ! title : K|https://b.example/2.jpg",
       {a, b},
       {}},
      {"captions of feed plugins",
       "https://a.example/1.jpg|Kitchen, bright|https://b.example/2.jpg?w=1|Bath",
       {a, "https://b.example/2.jpg?w=1"},
       {"left out 2 captions"}},
      {"captions with the signs of addresses",
       "https://a.example/1.jpg | Bath / WC|https://b.example/2.jpg|Room = 2 & more?",
       {a, b},
       {"left out 2 captions"}},
      {"a caption behind a query",
       "https://a.example/1.jpg?w=1|Bath & WC / hall",
       {"https://a.example/1.jpg?w=1"},
       {"left out 1 caption"}},
      {"a photo's name among the commas of an address",
       "https://a.example/1.jpg,2.jpg,fit|https://b.example/2.jpg",
       {"https://a.example/1.jpg,2.jpg,fit", b},
       {}},
      {"what goes on behind a bar in a query",
       "https://a.example/1.jpg?w=10|h=20|https://b.example/2.jpg",
       {"https://a.example/1.jpg?w=10|h=20", b},
       {}},
      {"spelt-out line ends",
       R"(https://a.example/1.jpg\nhttps://b.example/2.jpg\r\nhttps://c.example/3.jpg\n)",
       {a, b, "https://c.example/3.jpg"},
       {}},
      {"RESO media",
       R"([{"MediaURL":"https://a.example/10.jpg","Order":10,"MediaCategory":"Photo"},
           {"MediaURL":"https://a.example/tour","Order":0,"MediaCategory":"Branded Virtual Tour"},
           {"MediaURL":"https://a.example/face.jpg","Order":0,"MediaCategory":"Agent Photo"},
           {"MediaURL":"https://a.example/desk.jpg","Order":0,"MediaCategory":"Office Photo"},
           {"MediaURL":"https://a.example/last.jpg"},
           {"MediaURL":"https://a.example/2.jpg","Order":"2","MediaCategory":"Property Photo"},
           {"MediaURL":"https://a.example/plan.jpg","Order":1,"MediaCategory":"Floor Plan"},
           {"mediaurl":"https://a.example/3.jpg","order":2.5,"mediacategory":""}])",
       {"https://a.example/2.jpg", "https://a.example/3.jpg", "https://a.example/10.jpg", "https://a.example/last.jpg"},
       {"dropped 4 media that are no public photos"}},
      {"RESO media by type and permission",
       R"([{"MediaURL":"https://a.example/1.jpg","MediaType":"image/jpeg","Permission":["Public"]},
           {"MediaURL":"https://a.example/t","MediaType":"video/mp4"},
           {"MediaURL":"https://a.example/p","MediaType":"application/pdf","MediaCategory":"Photo"},
           {"MediaURL":"https://a.example/2.jpg","Permission":["Private"]}])",
       {a},
       {"dropped 3 media that are no public photos"}},
      {"other objects stay in their order",
       R"([{"url":"https://a.example/1.jpg","Order":2},{"url":"https://b.example/2.jpg","Order":1}])",
       {a, b},
       {}},
      {"JSON strings", R"(["https://a.example/1.jpg", "https://b.example/2.jpg"])", {a, b}, {}},
      {"JSON, escaped slashes", R"(["https:\/\/a.example\/1.jpg"])", {a}, {}},
      {"JSON, empty", "[]", {}, {}},
      {"JSON, with nothing in between", R"(["https://a.example/1.jpg", null, "", "nan"])", {a}, {}},
      {"JSON, a cell with a list among several",
       R"(["https://a.example/1.jpg", "[\"https:\\/\\/b.example\\/2.jpg\"]"])",
       {a, b},
       {}},
      {"JSON objects",
       R"([{"url":"https://a.example/1.jpg"},{"src":"https://b.example/2.jpg"},{"href":"https://a.example/3.jpg"},
           {"MediaURL":"https://a.example/4.jpg"},{"image":"https://a.example/5.jpg"},{"original":"https://a.example/6.jpg"},
           {"full":"https://a.example/7.jpg"}])",
       {a, b, "https://a.example/3.jpg", "https://a.example/4.jpg", "https://a.example/5.jpg",
        "https://a.example/6.jpg", "https://a.example/7.jpg"},
       {}},
      {"JSON, object of images", R"({"url":"https://a.example/page","images":["https://a.example/1.jpg"]})", {a}, {}},
      {"JSON, object of photos", R"({"photos":[{"url":"https://a.example/1.jpg"}]})", {a}, {}},
      {"JSON, image in an image", R"([{"image":{"src":"https://a.example/1.jpg"}}])", {a}, {}},
      {"a list from several columns",
       R"(["https://a.example/1.jpg","https://b.example/2.jpg, https://a.example/1.jpg"])",
       {a, b},
       {"dropped 1 duplicate"},
       Form::Json},
      {"a YAML string", R"("https://a.example/1.jpg")", {a}, {}, Form::Json},
      {"Python",
       "['https://a.example/1.jpg', None, nan, \"https://b.example/2.jpg\",]",
       {a, b},
       {"read as a Python list"}},
      {"Python objects",
       "[{'url': 'https://a.example/1.jpg', 'order': 1, 'main': True}]",
       {a},
       {"read as a Python list"}},
      {"Python escapes",
       R"(['https://a.example/\u00e9\'.jpg'])",
       {"https://a.example/%C3%A9'.jpg"},
       {"read as a Python list"}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const Result<AddressList> list = parse_address_list({c.form, std::string(c.text)});
    REQUIRE_MESSAGE(list.has_value(), (list ? "" : list.error().message));
    CHECK(list->addresses == c.addresses);
    CHECK(list->remarks == c.remarks);
  }
}

TEST_CASE("a list with an item that is no address is refused, naming the first") {
  struct Case {
    std::string_view text;
    std::string_view why;
  };
  const Case cases[] = {
      {"ref003_1.jpg", "'ref003_1.jpg' is not an address; give --media-base, under which file names stand"},
      {"photos/1", "'photos/1' is not an address; give --media-base"},
      {"ref003_1.jpg|ref003_2.jpg", "'ref003_1.jpg' is not an address"},
      {"a, b.jpg; c.jpg", "'a, b.jpg' is not an address"},
      {"1234,1235", "'1234' is not an address: numbers alone are WordPress attachment ids"},
      {"[1234, 1235]", "'1234' is not an address: numbers alone are WordPress attachment ids"},
      {"1.jpg|https://a.example/1.jpg", "'1.jpg' is not an address"},
      {"Photos: https://a.example/1.jpg", "'Photos:' is not an address"},
      {"https://a.example/1.jpg|2.jpg", "'2.jpg' is not an address"},
      {"https://a.example/1.jpg, 2.PNG", "'2.PNG' is not an address"},
      {"https://a.example/1.jpg|data:image/png;base64,iVBO", "the image itself is in it"},
      {"https://a.example/1.jpg|file:///x.jpg", "cannot be fetched"},
      {"https://a.example/1.jpg, javascript:alert(1)", "it is a script"},
      {"https://a.example/1.jpg|ftp://a.example/2.jpg", "only http and https"},
      {R"(["https://a.example/1.jpg", {"caption": "x"}])", "has no address: needs one of the members url"},
      {R"([true])", "'true' is not an address"},
      {R"(["https://a.example/1.jpg")", "looks like JSON but cannot be read: at character 27: expected ',' or ']'"},
      {R"([https://a.example/1.jpg])", "at character 2: expected a text in quotes"},
      {R"(["https://a.example/1.jpg)", "at character 2: expected the quote that opens here to be closed"},
      {R"(["é" "b"])", "at character 6: expected ',' or ']'"},
      {R"({"url" "x"})", "at character 8: expected ':'"},
      {"[] x", "at character 4: expected the end of the cell"},
      {"['a'", "at character 5: expected ',' or ']'"},
      {"https://a.example/\xFF", "is not valid UTF-8"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const Result<AddressList> list = parse_address_list({Form::Text, std::string(c.text)});
    REQUIRE(!list);
    CHECK_MESSAGE(list.error().message.find(c.why) != std::string::npos, list.error().message);
  }
}

TEST_CASE("image lists as they are found in feeds, line by line of FORMATS 4") {
  struct Case {
    std::string line;
    std::string_view text;
    std::string_view result;  ///< addresses, `!` remarks; `ERROR` and what is wrong
  };
  const Case cases[] = {
      {"JSON: strings", R"( ["https://a.example/1.jpg"])", "https://a.example/1.jpg"},
      {"JSON: url", R"([{"url":"https://a.example/1.jpg"}])", "https://a.example/1.jpg"},
      {"JSON: src", R"([{"src":"https://a.example/1.jpg"}])", "https://a.example/1.jpg"},
      {"JSON: href", R"([{"href":"https://a.example/1.jpg"}])", "https://a.example/1.jpg"},
      {"JSON: MediaURL", R"([{"MediaURL":"https://a.example/1.jpg"}])", "https://a.example/1.jpg"},
      {"JSON: image", R"([{"image":"https://a.example/1.jpg"}])", "https://a.example/1.jpg"},
      {"JSON: original", R"([{"original":"https://a.example/1.jpg"}])", "https://a.example/1.jpg"},
      {"JSON: full", R"([{"full":"https://a.example/1.jpg"}])", "https://a.example/1.jpg"},
      {"JSON: object with images", R"({"images":["https://a.example/1.jpg"]})", "https://a.example/1.jpg"},
      {"JSON: object with photos", R"({"photos":[{"url":"https://a.example/1.jpg"}]})", "https://a.example/1.jpg"},
      {"JSON: broken", R"([1, "x")", "ERROR looks like JSON but cannot be read: at character 8: expected ',' or ']'"},
      {"Python", "['https://a.example/1.jpg', nan]", "https://a.example/1.jpg !read as a Python list"},
      {"Python: nan", "nan", ""},
      {"Python: None", "None", ""},
      {"Python: []", "[]", ""},
      {"plain: bar", "https://a.example/1.jpg|http://b.example/2.jpg",
       "https://a.example/1.jpg http://b.example/2.jpg"},
      {"plain: two bars", "https://a.example/1.jpg||//b.example/2.jpg",
       "https://a.example/1.jpg https://b.example/2.jpg !put https:// before 1 address"},
      {"plain: bars and signs", "https://a.example/1.jpg|##|https://b.example/2.jpg",
       "https://a.example/1.jpg https://b.example/2.jpg"},
      {"plain: semicolon", "https://a.example/1.jpg;https://b.example/2.jpg",
       "https://a.example/1.jpg https://b.example/2.jpg"},
      {"plain: comma", "https://a.example/1.jpg, https://b.example/2.jpg",
       "https://a.example/1.jpg https://b.example/2.jpg"},
      {"plain: blanks", "https://a.example/1.jpg \n https://b.example/2.jpg",
       "https://a.example/1.jpg https://b.example/2.jpg"},
      {"plain: signs of the address", "https://a.example/w_1,h_2;q|x/1.jpg?w=1080&q=75",
       "https://a.example/w_1,h_2;q|x/1.jpg?w=1080&q=75"},
      {"plain: address in a value", "https://a.example/?url=https://b.example/2.jpg",
       "https://a.example/?url=https://b.example/2.jpg"},
      {"plain: names by bar", "a,1.jpg|b.jpg",
       "ERROR 'a,1.jpg' is not an address; give --media-base, under which file names stand"},
      {"plain: names by line", "a;1.jpg\nb.jpg",
       "ERROR 'a;1.jpg' is not an address; give --media-base, under which file names stand"},
      {"WooCommerce", "https://a.example/w_1\\,h_2.jpg, https://b.example/2.jpg",
       "https://a.example/w_1,h_2.jpg https://b.example/2.jpg"},
      {"WebToffee", "https://a.example/1.jpg ! alt : a, b ! title : c|https://b.example/2.jpg",
       "https://a.example/1.jpg https://b.example/2.jpg"},
      {"feed plugins", "https://a.example/1.jpg|Kitchen", "https://a.example/1.jpg !left out 1 caption"},
      {"item: invisible ends", "\xEF\xBB\xBF\xC2\xA0<https://a.example/1.jpg>\xE2\x80\x8B", "https://a.example/1.jpg"},
      {"item: quotes", "\"https://a.example/1.jpg\", 'https://b.example/2.jpg'",
       "https://a.example/1.jpg https://b.example/2.jpg"},
      {"item: &amp;", "https://a.example/1.jpg?a=1&amp;b=2",
       "https://a.example/1.jpg?a=1&b=2 !read &amp; as & in 1 address"},
      {"item: no scheme", "//a.example/1.jpg", "https://a.example/1.jpg !put https:// before 1 address"},
      {"item: www", "www.a.example/1.jpg", "https://www.a.example/1.jpg !put https:// before 1 address"},
      {"item: http stays", "http://a.example/1.jpg", "http://a.example/1.jpg"},
      {"item: encoded once", "https://a.example/é a%20b.jpg", "https://a.example/%C3%A9%20a%20b.jpg"},
      {"item: IDNA", "https://bücher.example/1.jpg", "https://xn--bcher-kva.example/1.jpg"},
      {"item: duplicates", "https://a.example/1.jpg|https://b.example/2.jpg|https://a.example/1.jpg",
       "https://a.example/1.jpg https://b.example/2.jpg !dropped 1 duplicate"},
      {"item: data", "data:image/png;base64,AA==",
       "ERROR 'data:image/png;base64,AA==' is not an address: the image itself is in it; the service needs an address "
       "that it can fetch"},
      {"item: file", "file:///1.jpg",
       "ERROR 'file:///1.jpg' is not an address: a file on a computer cannot be fetched by the service; upload it and "
       "give its http or https address"},
      {"item: javascript", "javascript:x()", "ERROR 'javascript:x()' is not an address: it is a script"},
      {"item: relative", "/img/1.jpg",
       "ERROR '/img/1.jpg' is not an address; give --media-base, under which file names stand"},
      {"item: no photos", "https://a.example/epc.pdf|https://a.example/1.jpg|https://a.example/t.MP4?x",
       "https://a.example/1.jpg !dropped 'https://a.example/epc.pdf', which is no photo !dropped "
       "'https://a.example/t.MP4?x', which is no photo"},
      {"item: attachment ids", "1234,1235",
       "ERROR '1234' is not an address: numbers alone are WordPress attachment ids; export the addresses of the images "
       "instead"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.line);
    const Result<AddressList> list = parse_address_list({Form::Text, std::string(c.text)});
    std::string result = list ? "" : "ERROR " + list.error().message;
    if (list) {
      for (const std::string& address : list->addresses) result += (result.empty() ? "" : " ") + address;
      for (const std::string& remark : list->remarks) result += " !" + remark;
    }
    CHECK(result == c.result);
  }
}

TEST_CASE("images that no address can be made of leave an error that quotes the first") {
  const FieldReading reading = read_addresses({Form::Text, "https://a.example/1.pdf|https://a.example/2.mp4"});
  CHECK(reading.problems ==
        std::vector<std::string>{"has no usable address: dropped 'https://a.example/1.pdf', which is no photo"});
}

TEST_CASE("an image without an address is dropped, and the others are sent") {
  const auto read = [](std::string_view list) { return read_addresses({Form::Json, std::string(list)}); };
  const FieldReading some = read(R"([{"MediaURL":null,"Order":1},{"MediaURL":"https://a.example/1.jpg","Order":2},
                                     {"MediaURL":"","Order":3}])");
  CHECK(some.problems.empty());
  CHECK(some.json == R"(["https://a.example/1.jpg"])");
  CHECK(some.remarks == std::vector<std::string>{"dropped 2 images without an address"});
  CHECK(read(R"([{"url":"nan"},null])").problems ==
        std::vector<std::string>{"has no usable address: dropped 1 image without an address"});
  CHECK(read(R"([{"url":null,"src":"https://a.example/1.jpg"}])").json == R"(["https://a.example/1.jpg"])");
}

TEST_CASE("lists stay lists where a base or a separator is given") {
  const auto complete = [](std::string_view objects) {
    return complete_images({Form::Json, std::string(objects)}, std::nullopt, "https://m.example").value_or("");
  };
  CHECK(complete(R"([{"url":"https://a.example/1.jpg","id":7},{"url":"2.jpg"},null,{"image":null}])") ==
        R"([{"url":"https://a.example/1.jpg","id":7},{"url":"https://m.example/2.jpg"},{"image":null}])");
  CHECK(complete(R"({"photos":["1.jpg","2.jpg"],"page":"1.jpg"})") ==
        R"({"photos":["https://m.example/1.jpg","https://m.example/2.jpg"],"page":"1.jpg"})");
  CHECK(complete_images({Form::Text, "['1.jpg', None]"}, std::nullopt, "https://m.example").value_or("") ==
        R"(["https://m.example/1.jpg"])");
}

TEST_CASE("what was split by a given separator stays whole") {
  struct Case {
    std::string_view name;
    RawValue value;
    std::string_view separator;
    std::string_view result;  ///< addresses, then remarks with a `!`
  };
  const std::string_view two = "https://x.com/1.jpg?a=1,https://y.com/b.jpg https://x.com/2.jpg";
  const Case cases[] = {
      {"an address in a query",
       {Form::Text, "https://x.com/1.jpg?a=1,https://y.com/b.jpg;https://x.com/2.jpg"},
       ";",
       two},
      {"in a list", {Form::Json, R"(["https://x.com/1.jpg?a=1,https://y.com/b.jpg","https://x.com/2.jpg"])"}, ";", two},
      {"in a list in a cell",
       {Form::Text, R"(["https://x.com/1.jpg?a=1,https://y.com/b.jpg","https://x.com/2.jpg"])"},
       "|",
       two},
      {"in objects",
       {Form::Json,
        R"([{"Order":2,"MediaURL":"https://x.com/2.jpg"},{"Order":1,"MediaURL":"https://x.com/1.jpg?a=1,https://y.com/b.jpg"}])"},
       "|",
       two},
      {"in an object in a list of texts",
       {Form::Json, R"(["https://x.com/1.jpg?a=1,https://y.com/b.jpg",{"src":"https://x.com/2.jpg"}])"},
       "|",
       two},
      {"names in brackets",
       {Form::Text, "[1].jpg|[2].jpg"},
       "|",
       "ERROR '[1].jpg' is not an address; give --media-base, under which file names stand"},
      {"names with commas",
       {Form::Text, "https://x.com/1.jpg,2.jpg|https://x.com/3.jpg"},
       "|",
       "https://x.com/1.jpg,2.jpg https://x.com/3.jpg"},
      {"a scheme that is none",
       {Form::Text, "https://x.com/1.jpg;//y.com/2.jpg"},
       "|",
       "https://x.com/1.jpg;//y.com/2.jpg"},
      {"captions",
       {Form::Text, "https://x.com/1.jpg! alt : a; b\nhttps://x.com/2,a.jpg|Bath"},
       "\n",
       "https://x.com/1.jpg https://x.com/2,a.jpg !left out 1 caption"},
      {"plain ones",
       {Form::Text, "https://x.com/1.jpg;;https://x.com/2.jpg;"},
       ";",
       "https://x.com/1.jpg https://x.com/2.jpg"},
      {"spaces",
       {Form::Text, "https://x.com/a b.jpg, 'https://x.com/c.jpg'"},
       ",",
       "https://x.com/a%20b.jpg https://x.com/c.jpg"},
      {"no address",
       {Form::Text, "https://x.com/1.jpg;1;2.jpg"},
       ";",
       "ERROR '1' is not an address: numbers alone are WordPress attachment ids; export the addresses of the images "
       "instead"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const Result<std::string> kept = complete_images(c.value, std::string(c.separator), "");
    REQUIRE(kept);
    // As it comes back out of a ledger.
    const Result<AddressList> list = parse_address_list({Form::Json, *kept});
    std::string result = list ? "" : "ERROR " + list.error().message;
    if (list) {
      for (const std::string& address : list->addresses) result += (result.empty() ? "" : " ") + address;
      for (const std::string& remark : list->remarks) result += " !" + remark;
    }
    CHECK(result == c.result);
  }
}

TEST_CASE("names and addresses in one list") {
  const auto read = [](std::string_view text, std::string_view base) {
    const Result<std::string> kept = complete_images({Form::Text, std::string(text)}, std::nullopt, base);
    const FieldReading reading = read_addresses({Form::Json, kept.value_or("")});
    return reading.problems.empty() ? reading.json.value_or("") : reading.problems[0];
  };
  const std::string_view all = R"(["https://m.fr/a%20b.jpg","https://m.fr/c.jpg","https://x.com/1.jpg"])";
  CHECK(read("/a b.jpg|c.jpg|https://x.com/1.jpg", "https://m.fr") == all);
  CHECK(read("a b.jpg, c.jpg, https://x.com/1.jpg", "https://m.fr") == all);
  CHECK(read("https://x.com/1.jpg|2.jpg;3.jpg", "https://m.fr") ==
        R"(["https://x.com/1.jpg","https://m.fr/2.jpg","https://m.fr/3.jpg"])");
  CHECK(read("https://x.com/w_1,h_2/1.jpg?a=1|b.jpg", "https://m.fr") ==
        R"(["https://x.com/w_1,h_2/1.jpg?a=1","https://m.fr/b.jpg"])");
  CHECK(read("https://x.com/1.jpg|p/2.jpg|Bath / WC|3, bright.jpg", "https://m.fr") ==
        R"(["https://x.com/1.jpg","https://m.fr/p/2.jpg","https://m.fr/3,%20bright.jpg"])");
  CHECK(read("https://x.com/1.jpg?crop=1,2.jpg", "https://m.fr") == R"(["https://x.com/1.jpg?crop=1,2.jpg"])");
  CHECK(read("https://x.com/1.jpg?a=1|2.jpg", "") ==
        "'2.jpg' is not an address; give --media-base, under which file names stand");
  CHECK(read("a.jpg|b.jpg|https://x.com/1.jpg", "") ==
        "'a.jpg' is not an address; give --media-base, under which file names stand");
}

TEST_CASE("images that no separator parts are refused, quoting them") {
  struct Case {
    std::string_view text;
    std::string_view quoted;
  };
  const Case cases[] = {
      {"https://x.test/a.jpg|relative/b.jpg", "'relative/b.jpg' is not an address; give --media-base"},
      {"https://x.test/a.jpg|Kitchen|b.jpg?w=1", "'b.jpg?w=1' is not an address; give --media-base"},
      {"https://x.test/a.jpg, relative/b.jpg", "'relative/b.jpg' is not an address; give --media-base"},
      {"https://x.test/a.jpg|a b.jpg", "'a b.jpg' is not an address; give --media-base"},
      {"https://x.test/a.jpghttps://x.test/b.jpg", "'https://x.test/a.jpghttps://x.test/b.jpg' is not one address"},
      {"https://x.test/a.JPGHTTP://x.test/b.jpg", "'https://x.test/a.JPGHTTP://x.test/b.jpg' is not one address"},
      {R"(https://x.test/a.jpg\https://x.test/b.jpg)", R"('https://x.test/a.jpg\https://x.test/b.jpg' is not one)"},
      {"https://x.test/a.jpg~https://x.test/b.jpg", "'https://x.test/a.jpg~https://x.test/b.jpg' is not one address"},
      {R"(https://x.test/a.jpg~https:/\x.test/b.jpg)",
       R"('https://x.test/a.jpg~https:/\x.test/b.jpg' is not one address)"},
      {"https://x.test/a.jpghttps%3A%2F%2Fx.test%2Fb.jpg", "'https://x.test/a.jpghttps%3A%2F%2Fx.test%2Fb.jpg' is not"},
      {"https://x.test/a.jpg-HTTP%253a%252f%252Fx.test/b.jpg",
       "'https://x.test/a.jpg-HTTP%253a%252f%252Fx.test/b.jpg'"},
      {R"(https://x.test/a.jpg\nb.jpg)", R"('https://x.test/a.jpg\nb.jpg' is not one address)"},
      {"https://x.test/a.jpg;https://c", "'https://c' is no image: nothing stands behind the host"},
      {"https://x.test/", "'https://x.test/' is no image: nothing stands behind the host"},
      {"https://x.test/a.jpg, Lyon", "'https://x.test/a.jpg, Lyon' is not one address"},
      {"https://x.test/a.jpg (front)", "'https://x.test/a.jpg (front)' is not one address"},
      {"https://x.test/a.jpg - https://x.test/b.jpg", "'https://x.test/a.jpg -' is not one address"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const Result<AddressList> text = parse_address_list({Form::Text, std::string(c.text)});
    REQUIRE(!text);
    CHECK_MESSAGE(text.error().message.starts_with(c.quoted), text.error().message);
    PlainAddresses plain;
    CHECK(!read_plain_addresses(Form::Text, c.text, plain));
    CHECK(!read_plain_addresses(Form::Json, fmt::format(R"(["{}"])", c.text), plain));
    // Where a separator is given, a comma with another photo is part of the address.
    const Result<std::string> kept = complete_images({Form::Text, std::string(c.text)}, ";", "");
    const bool is_one = c.text.find(", ") != c.text.npos && c.text.ends_with(".jpg");
    CHECK(parse_address_list({Form::Json, kept.value_or("")}).has_value() == is_one);
  }
  for (const char* whole :
       {"https://x.test/f?u=https://y.test/a.jpg", "https://x.test/a.jpg?u=b.jpghttps://y.test/a.jpg",
        "https://x.test/https://y.test/a.jpg", "https://x.test/a.jpg/https://y.test/b.jpg",
        "https://x.test/fetch/https%3A%2F%2Fy.test%2Fa.jpg", "https://x.test/a.jpg/https%3A%2F%2Fy.test%2Fb.jpg",
        "https://x.test/a.jpg?u=https%3A%2F%2Fy.test%2Fb.jpg"}) {
    CAPTURE(whole);
    const Result<AddressList> list = parse_address_list({Form::Text, whole});
    REQUIRE(list);
    CHECK(list->addresses == List{whole});
  }
}

TEST_CASE("attachment ids stay numbers where a base is given, and are refused") {
  for (const std::string text : {"12,13", "12", "12|13", "12|a.jpg", "[12, 13]", R"(["12"])", R"([{"url":"12"}])"}) {
    CAPTURE(text);
    for (const auto& separator : {std::optional<std::string>(), std::optional<std::string>("|")}) {
      const Result<std::string> kept = complete_images({Form::Text, text}, separator, "https://m.test");
      const FieldReading reading = read_addresses({Form::Json, kept.value_or("")});
      REQUIRE(reading.problems.size() == 1);
      CHECK(reading.problems[0].starts_with("'12' is not an address: numbers alone are WordPress attachment ids"));
    }
  }
}

TEST_CASE("thousands of names behind an address are told apart in one pass") {
  constexpr int kNames = 100'000;
  for (const char* separator : {"|", ",", ";", " ", "| ", "|##|"}) {
    CAPTURE(separator);
    std::string text = "https://x.test/0.jpg";
    for (int i = 0; i < kNames; ++i) text += fmt::format("{}{}.jpg", separator, i);
    const Result<std::string> kept = complete_images({Form::Text, text}, std::nullopt, "https://m.test");
    const Result<AddressList> list = parse_address_list({Form::Json, kept.value_or("")});
    REQUIRE(list);
    CHECK(list->addresses.size() == kNames + 1);
    CHECK(list->addresses.back() == fmt::format("https://m.test/{}.jpg", kNames - 1));
  }
}

TEST_CASE("names under a base are encoded where they would be a query or a fragment") {
  const auto address = [](std::string_view name) {
    const Result<std::string> kept = complete_images({Form::Text, std::string(name)}, std::nullopt, "https://m.fr/p");
    const Result<AddressList> list = parse_address_list({Form::Json, kept.value_or("")});
    return list && list->addresses.size() == 1 ? list->addresses[0] : std::string();
  };
  CHECK(address("photo #1.jpg") == "https://m.fr/p/photo%20%231.jpg");
  CHECK(address("#1.jpg") == "https://m.fr/p/%231.jpg");
  CHECK(address("what?.jpg") == "https://m.fr/p/what%3F.jpg");
  CHECK(address("100 %.jpg") == "https://m.fr/p/100%20%25.jpg");
  CHECK(address("a%20b.jpg") == "https://m.fr/p/a%20b.jpg");
  CHECK(address("/a,b.jpg|##|") == "https://m.fr/p/a,b.jpg");
  CHECK(address("https://x.com/1.jpg#top") == "https://x.com/1.jpg#top");
}

TEST_CASE("markup around an address is taken off where it is a line break, and refused elsewhere") {
  const auto read = [](std::string_view text) {
    const FieldReading reading = read_addresses({Form::Text, std::string(text)});
    return reading.problems.empty() ? reading.json : reading.problems[0];
  };
  const std::string one = R"(["https://x.com/2.jpg"])";
  for (const char* text :
       {"https://x.com/2.jpg<br />", "https://x.com/2.jpg<BR>", "https://x.com/2.jpg <br/> ", "<https://x.com/2.jpg>",
        "https://x.com/2.jpg<br><br />", "https://x.com/2.jpg! alt : a", "https://x.com/2.jpg ! title: b ! alt : c"}) {
    CAPTURE(text);
    CHECK(read(text) == one);
  }
  CHECK(read("https://x.com/1.jpg<br />\nhttps://x.com/2.jpg<br>") ==
        R"(["https://x.com/1.jpg","https://x.com/2.jpg"])");
  CHECK(read("https://x.com/1.jpg</td>") ==
        "'https://x.com/1.jpg</td' is not an address: there is markup in it ('<' or '>'); take it out of the feed");
  CHECK(read("https://x.com/a!title:1.jpg") == R"(["https://x.com/a!title:1.jpg"])");
}

TEST_CASE("deep nesting is refused, not followed") {
  for (const char* open : {"[", "[{\"a\":", "(["}) {
    std::string text;
    for (int i = 0; i < 20'000; ++i) text += open;
    CHECK(!parse_address_list({Form::Text, text}));
    CHECK(!parse_address_list({Form::Json, text}));
  }
  std::string closed = std::string(40, '[') + std::string(40, ']');
  CHECK(!parse_address_list({Form::Text, closed}));
}

TEST_CASE("Python literals as JSON") {
  CHECK(json_of_literal("['a', 1.5, None, True, ('b',), {'k': nan}]").value_or("") ==
        R"(["a","1.5",null,true,["b"],{"k":null}])");
  CHECK(json_of_literal(R"(['\x41\u00e9\U0001F600\n\\\q'])").value_or("") == "[\"Aé😀\\n\\\\\\\\q\"]");
  CHECK(json_of_literal(R"(["\ud83d\ude00"])").value_or("") == "[\"😀\"]");
  CHECK(json_of_literal(R"(["\ud83d\u0041"])").value_or("") ==
        "[\"\xEF\xBF\xBD"
        "A\"]");
  CHECK(!json_of_literal(""));
  CHECK(!json_of_literal("["));
  CHECK(!json_of_literal("['a' 'b']"));
  CHECK(!json_of_literal("{1: 2}"));
}

TEST_CASE("any bytes give a list of addresses or a message, and a list reads back as itself") {
  std::mt19937_64 rng(20261121);
  const std::string alphabet = "https://www.a.example/1.jpg|;, \n\t\"'<>[]{}:%&amp\\#?=\xC3\xA9\xFF";
  const auto pick = [&rng](std::size_t size) { return std::uniform_int_distribution<std::size_t>(0, size - 1)(rng); };
  for (int round = 0; round < 20'000; ++round) {
    std::string text = round % 2 == 0 ? "https://a.example/1.jpg|['https://b.example/2.jpg']" : "";
    for (std::size_t edits = pick(12); edits > 0; --edits) {
      const char c = alphabet[pick(alphabet.size())];
      text.insert(text.begin() + static_cast<std::ptrdiff_t>(pick(text.size() + 1)), c);
    }
    CAPTURE(text);
    const Result<AddressList> list = parse_address_list({round % 3 == 0 ? Form::Json : Form::Text, text});
    if (!list) {
      CHECK(!list.error().message.empty());
      continue;
    }
    for (const std::string& address : list->addresses) {
      CHECK(normalise_address(address).value_or("") == address);
      for (const char c : address) CHECK((c > 0x20 && c < 0x7F));
    }
  }
}

}  // namespace
}  // namespace reelbatch
