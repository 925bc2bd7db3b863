#include "jobs/iacrea_auto.h"

#include <doctest/doctest.h>

#include <array>

#include "jobs/no_credits.h"
#include "jobs/service_words.h"
#include "tests/kind_suite.h"

namespace reelbatch {
namespace {

using Form = RawValue::Form;

const IacreaAuto kKind;

RawFields row(std::initializer_list<std::pair<std::string_view, std::string_view>> more = {}) {
  RawFields fields{{"image_urls", {Form::Text, "https://a.example/1.jpg"}},
                   {"description", {Form::Text, "A bright apartment."}}};
  for (const auto& [name, text] : more) {
    const auto same = [&](const RawField& field) { return field.name == name; };
    std::erase_if(fields, same);
    fields.push_back({std::string(name), {Form::Text, std::string(text)}});
  }
  return fields;
}

std::string json_of(const Normalised& normal, std::string_view name) {
  for (const NormalField& field : normal.fields) {
    if (field.spec->name == name) return field.json;
  }
  return "(absent)";
}

std::string problems_of(const Normalised& normal) {
  std::string all;
  for (const Problem& problem : normal.problems) all += problem.field + ": " + problem.message + "\n";
  return all;
}

TEST_CASE("the smallest row is sent as it is, without defaults") {
  const Normalised normal = kKind.normalise(row());
  REQUIRE(problems_of(normal) == "");
  const Request request = kKind.submit(normal.fields, "marker");
  CHECK(request.method == "POST");
  CHECK(request.path == "/api/video-editor/generate/video/auto");
  CHECK(request.body == R"({"image_urls":["https://a.example/1.jpg"],"description":"A bright apartment."})");
}

TEST_CASE("the fullest row is sent under the API's names") {
  const Normalised normal = kKind.normalise(fixture_row(kKind));
  REQUIRE(problems_of(normal) == "");
  CHECK(
      kKind.submit(normal.fields, "marker").body ==
      "{\"image_urls\":[\"https://images.example.com/lyon/1001/1.jpg\",\"https://images.example.com/lyon/1001/2.jpg\"],"
      "\"description\":\"Appartement lumineux avec terrasse, près du centre.\",\"format\":\"portrait\","
      "\"colors\":[\"#1a1a2e\",\"#ffffff\"],\"font\":\"Inter\",\"music\":\"calm-piano-02\",\"displayLogo\":true,"
      "\"logoUrl\":\"https://images.example.com/lyon/logo.png\",\"webhookUrl\":\"https://hooks.example.com/iacrea\"}");
}

TEST_CASE("what is told to be plain is read without a word") {
  constexpr std::array<std::string_view, 8> kImages{"https://a.example/1.jpg",
                                                    "https://a.example/1.jpg|https://a.example/2.png",
                                                    "https://a.example/1.jpg|https://a.example/1.jpg",
                                                    "[\"https://a.example/1.jpg\",\"http://b.example/2.jpg\"]",
                                                    "[]",
                                                    "https://a.example/1.mp4",
                                                    " https://a.example/1.jpg",
                                                    "1.jpg"};
  constexpr std::array<std::string_view, 6> kDescriptions{
      "A bright apartment in the centre of the town.",  "Short",
      "A <b>bright</b> apartment in the centre.",       "Ein helles Zimmer mit Blick\nauf den See, ruhig.",
      "A bright  apartment in the centre of the town.", ""};
  constexpr std::array<std::string_view, 4> kFormats{"portrait", "Portrait", "potrait", ""};
  constexpr std::array<std::string_view, 7> kColors{"#1a1a2e|#ffffff", "#1A1A2E|#ffffff", "[\"#1a1a2e\",\"#ffffff\"]",
                                                    "#1a1a2e|",        "#1a1a2g|#ffffff", "#1a1|#fff",
                                                    "1a1a2e0|#ffffff"};
  int plain = 0;
  for (const std::string_view images : kImages)
    for (const std::string_view description : kDescriptions)
      for (const std::string_view format : kFormats)
        for (const std::string_view colors : kColors) {
          RawFields raw;
          const auto add = [&](std::string_view name, std::string_view text) {
            const Form form = text.starts_with('[') ? Form::Json : Form::Text;
            if (!text.empty()) raw.push_back({std::string(name), {form, std::string(text)}});
          };
          add("image_urls", images);
          add("description", description);
          add("format", format);
          add("colors", colors);
          std::vector<FieldText> fields;
          for (const RawField& field : raw) fields.push_back({field.name, field.value.form, field.value.text});
          if (!kKind.is_plain(fields)) continue;
          ++plain;
          const Normalised normal = kKind.normalise(raw);
          CAPTURE(images);
          CAPTURE(description);
          CAPTURE(format);
          CAPTURE(colors);
          CHECK(problems_of(normal) == "");
          CHECK(normal.remarks.empty());
        }
  CHECK(plain == 3 * 2 * 2 * 3);
}

TEST_CASE("values in their one form") {
  struct Case {
    std::string name;
    std::string_view field;
    RawValue value;
    std::string_view json;
  };
  const Case cases[] = {
      {"trimmed", "description", {Form::Text, "\xC2\xA0 A bright flat. \n"}, "\"A bright flat.\""},
      {"lines stay, tabs are blanks", "description", {Form::Text, "Rooms:\r\n\tone\rtwo"}, R"("Rooms:\none\ntwo")"},
      {"ten code points", "description", {Form::Text, "éééééééééé"}, "\"éééééééééé\""},
      {"control characters go", "description", {Form::Text, "A bright\x07 flat."}, "\"A bright flat.\""},
      {"windows-1252 as C1",
       "description",
       {Form::Text,
        "L\xC2\x92"
        "appartement"},
       "\"L’appartement\""},
      {"HTML becomes text", "description", {Form::Text, "A <b>bright</b> flat"}, "\"A bright flat\""},
      {"a list of images",
       "image_urls",
       {Form::Json, R"(["https://a.example/1.jpg","https://a.example/2.jpg"])"},
       R"(["https://a.example/1.jpg","https://a.example/2.jpg"])"},
      {"format in capitals", "format", {Form::Text, " SQUARE "}, "\"square\""},
      {"empty format", "format", {Form::Text, "  "}, "(absent)"},
      {"colours by pipe", "colors", {Form::Text, "#1A1A2E|#FFFFFF"}, R"(["#1a1a2e","#ffffff"])"},
      {"colours by comma", "colors", {Form::Text, "#123, #abc"}, R"(["#112233","#aabbcc"])"},
      {"colours by blank", "colors", {Form::Text, "#123 #abc"}, R"(["#112233","#aabbcc"])"},
      {"colours by semicolon", "colors", {Form::Text, "#123;#abc;"}, R"(["#112233","#aabbcc"])"},
      {"colours as a list", "colors", {Form::Json, R"(["#123","#ABC"])"}, R"(["#112233","#aabbcc"])"},
      {"colours as JSON", "colors", {Form::Text, R"(["#123","#ABC"])"}, R"(["#112233","#aabbcc"])"},
      {"colours from Python", "colors", {Form::Text, "['#123', '#ABC']"}, R"(["#112233","#aabbcc"])"},
      {"no colours", "colors", {Form::Text, "[]"}, "(absent)"},
      {"font", "font", {Form::Text, " Open Sans "}, "\"Open Sans\""},
      {"music as a number", "music", {Form::Json, "12"}, "\"12\""},
      {"yes", "display_logo", {Form::Text, "Yes"}, "true"},
      {"one", "display_logo", {Form::Text, "1"}, "true"},
      {"true", "display_logo", {Form::Json, "true"}, "true"},
      {"no", "display_logo", {Form::Text, "NO"}, "false"},
      {"zero", "display_logo", {Form::Text, "0"}, "false"},
      {"false", "display_logo", {Form::Text, "false"}, "false"},
      {"logo", "logo_url", {Form::Text, "//A.example/logo.png"}, "\"https://a.example/logo.png\""},
      {"webhook", "webhook_url", {Form::Text, "https://a.example/h?x=1"}, "\"https://a.example/h?x=1\""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    RawFields raw = row({{"logo_url", "https://a.example/l.png"}});
    std::erase_if(raw, [&](const RawField& field) { return field.name == c.field; });
    raw.push_back({std::string(c.field), c.value});
    const Normalised normal = kKind.normalise(raw);
    CHECK(problems_of(normal) == "");
    CHECK(json_of(normal, c.field) == c.json);
  }
}

TEST_CASE("problems say what would be right") {
  struct Case {
    std::string_view field;
    RawValue value;
    std::string_view problem;
  };
  const Case cases[] = {
      {"description", {Form::Text, ""}, "description: is missing; needs at least 10 characters\n"},
      {"description", {Form::Text, " \xC2\xA0 "}, "description: is missing; needs at least 10 characters\n"},
      {"description", {Form::Text, "  too short "}, "description: needs at least 10 characters, has 9\n"},
      {"description", {Form::Text, "ééééééééé"}, "description: needs at least 10 characters, has 9\n"},
      {"description",
       {Form::Text, std::string("A bright\0 flat.", 15)},
       "description: has a NUL byte in it; remove it\n"},
      {"description", {Form::Text, "A bright \xE9t\xE9"}, "description: is not valid UTF-8; save the file as UTF-8\n"},
      {"description", {Form::Json, R"(["a","b"])"}, "description: needs to be one text, not a list\n"},
      {"image_urls",
       {Form::Text, ""},
       "image_urls: is missing; give the http or https address of at least one image\n"},
      {"image_urls",
       {Form::Json, "[]"},
       "image_urls: is missing; give the http or https address of at least one image\n"},
      {"image_urls",
       {Form::Text, "1.jpg"},
       "image_urls: '1.jpg' is not an address; give --media-base, under which file names stand\n"},
      {"image_urls",
       {Form::Text, "https://a.example/x.pdf"},
       "image_urls: has no usable address: dropped 'https://a.example/x.pdf', which is no photo\n"},
      {"format",
       {Form::Text, "portait"},
       "format: needs to be landscape, portrait or square, not 'portait'; did you mean 'portrait'?\n"},
      {"format", {Form::Text, "16:9"}, "format: needs to be landscape, portrait or square, not '16:9'\n"},
      {"colors", {Form::Text, "#123"}, "colors: needs exactly two colours, background and text, has 1\n"},
      {"colors", {Form::Text, "#123|#456|#789"}, "colors: needs exactly two colours, background and text, has 3\n"},
      {"colors",
       {Form::Text, "1A1A2E|red"},
       "colors: '1A1A2E' is no colour; needs the form #rrggbb or #rgb; did you mean '#1a1a2e'?\n"
       "colors: 'red' is no colour; needs the form #rrggbb or #rgb\n"},
      {"colors",
       {Form::Text, "#12345|#12345g"},
       "colors: '#12345' is no colour; needs the form #rrggbb or #rgb\n"
       "colors: '#12345g' is no colour; needs the form #rrggbb or #rgb\n"},
      {"colors",
       {Form::Text, "[#123]"},
       "colors: cannot be read as a list: at character 2: expected a text in quotes\n"},
      {"font", {Form::Text, "a\nb"}, "font: needs to be on one line, without tabs\n"},
      {"music", {Form::Json, "{}"}, "music: needs to be one text, not a map\n"},
      {"display_logo",
       {Form::Text, "maybe"},
       "display_logo: needs to be one of true, false, yes, no, 1, 0, not 'maybe'\n"},
      {"display_logo", {Form::Text, "true"}, "logo_url: is missing; display_logo needs the address of the logo\n"},
      {"logo_url",
       {Form::Text, "logo.png"},
       "logo_url: 'logo.png' is not an address: needs to begin with http:// or https://\n"},
      {"webhook_url", {Form::Json, R"(["https://a.example"])"}, "webhook_url: needs to be one address, not a list\n"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.problem);
    RawFields raw = row();
    std::erase_if(raw, [&](const RawField& field) { return field.name == c.field; });
    raw.push_back({std::string(c.field), c.value});
    CHECK(problems_of(kKind.normalise(raw)) == c.problem);
  }
}

TEST_CASE("all problems of a row are told at once") {
  const Normalised normal = kKind.normalise(
      row({{"image_urls", "x"}, {"description", "y"}, {"format", "z"}, {"colors", "#1"}, {"display_logo", "1"}}));
  std::vector<std::string> fields;
  for (const Problem& problem : normal.problems) fields.push_back(problem.field);
  CHECK(fields == std::vector<std::string>{"image_urls", "description", "format", "colors", "colors", "logo_url"});
}

TEST_CASE("a wrong logo is one problem, not two") {
  const Normalised normal = kKind.normalise(row({{"display_logo", "yes"}, {"logo_url", "x"}}));
  CHECK(normal.problems.size() == 1);
}

TEST_CASE("remarks tell what was mended") {
  const Normalised normal = kKind.normalise(
      row({{"image_urls", "https://a.example/1.jpg|https://a.example/1.jpg"}, {"logo_url", "www.a.example/l.png"}}));
  std::string remarks;
  for (const Problem& remark : normal.remarks) remarks += remark.field + ": " + remark.message + "\n";
  CHECK(remarks ==
        "image_urls: dropped 1 duplicate\nlogo_url: put https:// before the address\n"
        "logo_url: will not be shown unless display_logo is true\n");
}

TEST_CASE("only the webhook is not what is paid for") {
  for (const FieldSpec& spec : kKind.fields()) CHECK(spec.is_content == (spec.name != "webhook_url"));
}

TEST_CASE("polls go to the job's own address") {
  const std::vector<PolledJob> job{{"a/b c"}};
  CHECK(kKind.poll(job).path == "/api/video-editor/generate/video/auto/a%2Fb%20c");
}

// ---- Answers --------------------------------------------------------------------------------------------------------

TEST_CASE("answers to a submission") {
  struct Case {
    std::string name;
    Response response;
    SubmitOutcome outcome;
    std::string_view remote_id;
    std::string_view detail;
  };
  const Case cases[] = {
      {"accepted", {201, R"({"id":"a-1","status":"PENDING"})"}, SubmitOutcome::Accepted, "a-1", "PENDING"},
      {"accepted, no status", {200, R"({"id":"a-1"})"}, SubmitOutcome::Accepted, "a-1", ""},
      {"a number for an id", {201, R"({"id":42})"}, SubmitOutcome::Accepted, "42", ""},
      {"in error, but there", {201, R"({"id":"a-1","status":"ERROR"})"}, SubmitOutcome::Accepted, "a-1", "ERROR"},
      {"no id",
       {201, R"({"status":"PENDING"})"},
       SubmitOutcome::Unknown,
       "",
       "201 Created, but the answer names no job id"},
      {"empty id", {201, R"({"id":" "})"}, SubmitOutcome::Unknown, "", "201 Created, but the answer names no job id"},
      {"half an id", {201, R"({"id":1.5})"}, SubmitOutcome::Unknown, "", "201 Created, but the answer names no job id"},
      {"dots for an id",
       {201, R"({"id":".."})"},
       SubmitOutcome::Unknown,
       "",
       "201 Created, but the answer names no job id"},
      {"a list", {200, R"([{"id":"a"}])"}, SubmitOutcome::Unknown, "", "200 OK, but the answer names no job id"},
      {"empty body",
       {204, ""},
       SubmitOutcome::Unknown,
       "",
       "204 No Content, but the answer cannot be read: not valid JSON: Empty: no JSON found"},
      {"refused",
       {400, R"({"message":"description too short"})"},
       SubmitOutcome::RowRefused,
       "",
       "400 Bad Request: description too short"},
      {"refused, nothing said", {422, "{}"}, SubmitOutcome::RowRefused, "", "422 Unprocessable Content"},
      {"key", {401, R"({"error":"Unauthorized"})"}, SubmitOutcome::KeyRefused, "", "401 Unauthorized"},
      {"wrong address", {404, "<!DOCTYPE html><html>404"}, SubmitOutcome::AddressRefused, "", "404 Not Found"},
      {"redirect", {308, ""}, SubmitOutcome::AddressRefused, "", "308 Permanent Redirect"},
      {"throttled",
       {429, R"({"message":"slow down"})"},
       SubmitOutcome::Throttled,
       "",
       "429 Too Many Requests: slow down"},
      {"no credits", {402, ""}, SubmitOutcome::NoCredits, "", "402 Payment Required"},
      {"no credits as a validation",
       {400, R"({"error":"Insufficient credits"})"},
       SubmitOutcome::NoCredits,
       "",
       "400 Bad Request: Insufficient credits"},
      {"a server's words about credits",
       {500, R"({"error":"Insufficient credits"})"},
       SubmitOutcome::Unknown,
       "",
       "500 Internal Server Error: Insufficient credits"},
      {"an id with an error",
       {500, R"({"id":"a-1"})"},
       SubmitOutcome::Unknown,
       "",
       "500 Internal Server Error: id: a-1"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const SubmitVerdict verdict = kKind.read_submit(c.response);
    CHECK(verdict.outcome == c.outcome);
    CHECK(verdict.remote_id == c.remote_id);
    CHECK(verdict.detail == c.detail);
  }
}

TEST_CASE("answers to a poll") {
  struct Case {
    std::string name;
    Response response;
    PollOutcome outcome;
    std::string_view url;
    std::string_view detail;
  };
  const Case cases[] = {
      {"working", {200, R"({"status":"GENERATING_VIDEO"})"}, PollOutcome::Running, "", "GENERATING_VIDEO"},
      {"progress as it is",
       {200, R"({"status":"RENDERING_VIDEO","progress":0.65})"},
       PollOutcome::Running,
       "",
       "RENDERING_VIDEO 0.65"},
      {"progress zero",
       {200, R"({"status":"START_RENDERING_VIDEO","progress":0})"},
       PollOutcome::Running,
       "",
       "START_RENDERING_VIDEO 0"},
      {"progress null",
       {200, R"({"status":"RENDERING_VIDEO","progress":null})"},
       PollOutcome::Running,
       "",
       "RENDERING_VIDEO"},
      {"made again",
       {200, R"({"status":"PENDING","message":"Re-generating video in error"})"},
       PollOutcome::Running,
       "",
       "PENDING: Re-generating video in error"},
      {"unknown word", {200, R"({"status":"Error_Recovery"})"}, PollOutcome::Running, "", "Error_Recovery"},
      {"done",
       {200, R"({"status":"DONE","url":"https://c.example/a.mp4?s=é"})"},
       PollOutcome::Done,
       "https://c.example/a.mp4?s=é",
       "DONE"},
      {"done in any case",
       {200, R"({"status":" done ","url":"HTTPS://c.example/a"})"},
       PollOutcome::Done,
       "HTTPS://c.example/a",
       "done"},
      {"done without a url", {200, R"({"status":"DONE"})"}, PollOutcome::Running, "", "DONE without a url"},
      {"done with an empty url",
       {200, R"({"status":"DONE","url":" "})"},
       PollOutcome::Running,
       "",
       "DONE without a url"},
      {"done with a script",
       {200, R"({"status":"DONE","url":"javascript:x"})"},
       PollOutcome::Running,
       "",
       "DONE with a url that is no http address"},
      {"failed",
       {200, R"({"status":"ERROR","message":"No clip","generatedContent":[{"id":"x"}]})"},
       PollOutcome::Failed,
       "",
       "ERROR: No clip"},
      {"failed, silent",
       {200, R"({"status":"failed","generatedContent":[{"id":"x","status":"error"}]})"},
       PollOutcome::Failed,
       "",
       "failed"},
      {"failed, nested",
       {200, R"({"status":"ERROR","error":{"message":"Render failed"}})"},
       PollOutcome::Failed,
       "",
       "ERROR: Render failed"},
      {"no status", {200, R"({"url":"https://c.example/a"})"}, PollOutcome::TryAgain, "", "the answer has no status"},
      {"status of another type", {200, R"({"status":1})"}, PollOutcome::TryAgain, "", "the answer has no status"},
      {"a page",
       {200, "<html>"},
       PollOutcome::TryAgain,
       "",
       "the answer cannot be read: not valid JSON: The JSON document has an improper structure: missing or superfluous "
       "commas, braces, missing keys, etc."},
      {"unknown job", {404, R"({"error":"Not found"})"}, PollOutcome::NotKnown, "", "404 Not Found"},
      {"key", {401, ""}, PollOutcome::KeyRefused, "", "401 Unauthorized"},
      {"forbidden", {403, ""}, PollOutcome::TryAgain, "", "403 Forbidden"},
      {"throttled", {429, ""}, PollOutcome::Throttled, "", "429 Too Many Requests"},
      {"failed, but by a 500",
       {500, R"({"status":"ERROR"})"},
       PollOutcome::TryAgain,
       "",
       "500 Internal Server Error: status: ERROR"},
  };
  const std::vector<PolledJob> job{{"a-1"}};
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const std::vector<PollVerdict> verdicts = kKind.read_poll(job, c.response);
    REQUIRE(verdicts.size() == 1);
    CHECK(verdicts[0].outcome == c.outcome);
    CHECK(verdicts[0].url == c.url);
    CHECK(verdicts[0].detail == c.detail);
  }
}

TEST_CASE("credit figures come from any JSON answer") {
  const std::string body = R"({"id":"a","status":"DONE","creditsTotal":"46.5","creditsUsed":3})";
  const CreditFigures figures{Credits{46'500}, Credits::whole(3)};
  const std::vector<PolledJob> job{{"a"}};
  for (const int status : {200, 201, 400, 402, 500}) {
    CAPTURE(status);
    CHECK(kKind.read_submit({status, body}).credits == figures);
    CHECK(kKind.read_poll(job, {status, body}).front().credits == figures);
  }
  CHECK(!kKind.read_submit({201, R"({"id":"a"})"}).credits.any());
}

// ---- Words ----------------------------------------------------------------------------------------------------------

TEST_CASE("a refusal in the service's words, whatever shape they have") {
  struct Case {
    std::string_view body;
    std::string_view words;
  };
  const Case cases[] = {
      {"", "400 Bad Request"},
      {"{}", "400 Bad Request"},
      {"plain\n text", "400 Bad Request: plain text"},
      {"<html><body>no</body></html>", "400 Bad Request"},
      {"\n <!doctype HTML>", "400 Bad Request"},
      {R"("a text")", "400 Bad Request: a text"},
      {R"({"error":"wrong"})", "400 Bad Request: wrong"},
      {R"({"message":"wrong","statusCode":400,"error":"Bad Request"})", "400 Bad Request: wrong"},
      {R"({"error":"bad request"})", "400 Bad Request"},
      {R"({"error":{"message":"wrong","code":7}})", "400 Bad Request: wrong"},
      {R"({"detail":"wrong"})", "400 Bad Request: wrong"},
      {R"({"errors":["one","two","one"]})", "400 Bad Request: one; two"},
      {R"({"errors":{"image":["one"],"text":["two"]}})", "400 Bad Request: image: one; text: two"},
      {R"({"errors":[{"field":"image","message":"one"},{"path":["a",0],"msg":"two"}]})",
       "400 Bad Request: image: one; a.0: two"},
      {R"({"detail":[{"loc":["body","image"],"msg":"one"}]})", "400 Bad Request: body.image: one"},
      {R"({"link":["Invalid link ID"]})", "400 Bad Request: link: Invalid link ID"},
      {R"({"non_field_errors":["wrong"]})", "400 Bad Request: wrong"},
      {R"(["AI model not found"])", "400 Bad Request: AI model not found"},
      {R"({"message":"\u001b[31mred\u0000"})", "400 Bad Request: [31mred"},
      {"\xFF\xFE", "400 Bad Request: \xEF\xBF\xBD\xEF\xBF\xBD"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.body);
    CHECK(describe_refusal({400, std::string(c.body)}) == c.words);
  }
  CHECK(describe_refusal({400, std::string(1000, 'x')}) == "400 Bad Request: " + std::string(300, 'x') + "…");
  CHECK(describe_refusal({299, "x"}) == "299: x");
}

TEST_CASE("which words say that the credits are gone") {
  const char* const yes[] = {
      "Insufficient credits",
      "insufficient video credits",
      "INSUFFICIENT_CREDITS",
      "insufficientCredits",
      "NoCredits",
      "not enough credits",
      "Not enough remaining credits to start this generation",
      "You do not have enough credits.",
      "You don't have enough credits",
      "You don’t have enough video credits",
      "no credits left",
      "No more credits",
      "You have 0 credits",
      "You are out of credits, please top up",
      "Credits exhausted",
      "Your credits are exhausted",
      "Credit balance is too low",
      "credit limit exceeded",
      "Insufficient balance",
      "Your balance is insufficient",
      "Crédits insuffisants",
      "CRÉDITS ÉPUISÉS",
      "Vos crédits sont épuisés",
      "Vous n'avez pas assez de crédits",
      "Vous n’avez plus de crédits",
      "Solde insuffisant",
      "Aucun crédit",
      "You need more credits",
      "Error: insufficient credits (need 3)",
      "\"Insufficient credits\"",
  };
  const char* const no[] = {
      "",
      "credits",
      "description too short",
      "insufficient description",
      "Insufficient images: at least 1. Credits remaining: 5",
      "description is not long enough, credits were not charged",
      "No image found. Credits unchanged",
      "not enough images; 3 credits left",
      "description must not mention a credit card",
      "no credit card data allowed",
      "the photo credits are missing a name in image_urls? no",
      "creditsUsed is not a known member",
      "description has 'no credits' in it, which is not allowed",
      "description contains \"not enough credits\"",
      "text « plus de crédits » refusé",
      "You have enough credits",
      "image too small",
      "balance sheet image not supported",
      "Unable to credit the author",
      "no accredited image",
  };
  for (const std::string words : yes) {
    CAPTURE(words);
    CHECK(says_no_credits(words));
  }
  for (const std::string words : no) {
    CAPTURE(words);
    CHECK(!says_no_credits(words));
  }
}

TEST_CASE("which refusals are for lack of credits") {
  const char* const yes[] = {
      R"({"error":"Insufficient credits"})",
      R"({"error":{"code":"INSUFFICIENT_CREDITS","message":"Top up"}})",
      R"({"code":"NO_CREDITS"})",
      R"({"credits":["insufficient"]})",
      R"(["Not enough credits"])",
      "Insufficient credits",
  };
  const char* const no[] = {
      R"({"description":["must not say: no credits"]})",
      R"({"errors":[{"path":["description"],"message":"no credits"}]})",
      R"({"message":"description too short","creditsTotal":0})",
      R"({"message":"Invalid url","creditsUsed":0})",
      R"({"credits":["must be a number"]})",
      "<html><a>No credits? Buy more credits</a></html>",
      "",
  };
  for (const std::string body : yes) {
    CAPTURE(body);
    CHECK(refuses_for_credits({400, body}));
  }
  for (const std::string body : no) {
    CAPTURE(body);
    CHECK(!refuses_for_credits({400, body}));
  }
}

}  // namespace
}  // namespace reelbatch
