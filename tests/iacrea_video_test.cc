#include "jobs/iacrea_video.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "jobs/canonical_json.h"
#include "jobs/registry.h"
#include "jobs/row_reader.h"
#include "runner/changes.h"
#include "tests/kind_rows.h"
#include "tests/kind_suite.h"

namespace reelbatch {
namespace {

const IacreaVideo kKind;

constexpr std::string_view kSmallest =
    R"({"format":"portrait","colors":["#000000","#ffffff"],"sequences":[{"order":0,"duration":4,"type":"image"}]})";

Normalised with_video(std::string_view json) {
  return kKind.normalise(cells({{"video", json}}));
}

/// The smallest video with other members; one that is `null` is left out.
std::string video(std::string_view more) {
  JsonReader reader;
  simdjson::dom::object object;
  REQUIRE(!reader.parse(kSmallest).value().get(object));
  Result<JsonMembers> members = canonical_members(object);
  REQUIRE(!reader.parse(more).value().get(object));
  const Result<JsonMembers> added = canonical_members(object);
  REQUIRE((members && added));
  for (const auto& [name, json] : *added) (*members)[name] = json;
  return json_object(*members);
}

std::string sequence(std::string_view json) {
  return video(R"({"sequences":[)" + std::string(json) + "]}");
}

}  // namespace

TEST_CASE("iacrea.video: a video is sent in the API's frame, with what nobody documents as it stands") {
  const Normalised normal = with_video(video(R"({"unheard_of":{"b":1,"a":[null,2.50]},"music":"calm"})"));
  REQUIRE(lines_of(normal.problems) == "");
  const Request request = kKind.submit(normal.fields, "marker");
  CHECK(request.method == "POST");
  CHECK(request.path == "/api/video-editor/generate/video");
  CHECK(request.body ==
        R"({"video":{"colors":["#000000","#ffffff"],"format":"portrait","music":"calm",)"
        R"("sequences":[{"duration":4,"order":0,"type":"image"}],"unheard_of":{"a":[null,2.5],"b":1}}})");
  CHECK(kKind.followed(normal.fields).empty());
}

TEST_CASE("iacrea.video: the logo's own switch of an intro is a boolean, however it is written") {
  const Normalised normal = with_video(
      video(R"({"sequences":[{"order":0,"duration":3,"type":"intro","data":{"displayLogo":"no","title":"A"}}]})"));
  REQUIRE(lines_of(normal.problems) == "");
  CHECK(kKind.submit(normal.fields, "marker").body.find(R"("data":{"displayLogo":false,"title":"A"})") !=
        std::string::npos);
}

TEST_CASE("iacrea.video: members that are nearly documented ones are passed on, and told of once") {
  const auto remarks = [](std::string_view more) { return lines_of(with_video(video(more)).remarks); };
  CHECK(remarks(R"({"logoURL":"https://x.test/l.png"})") ==
        "video: logoURL: is passed on as it stands; did you mean 'logoUrl'?\n");
  CHECK(remarks(R"({"display_logo":true})") ==
        "video: display_logo: is passed on as it stands; did you mean 'displayLogo'?\n");
  CHECK(remarks(R"({"sequence":[]})") == "");  // beside the documented one it is no slip
  CHECK(lines_of(with_video(R"({"format":"portrait","colors":["#000000","#ffffff"],"sequence":[]})").remarks) ==
        "video: sequence: is passed on as it stands; did you mean 'sequences'?\n");
  CHECK(remarks(R"({"sequences":[{"order":0,"duration":4,"type":"image","animation_typ":"x"},)"
                R"({"order":1,"duration":4,"type":"image","animation_typ":"y"}]})") ==
        "video: sequences[0].animation_typ: is passed on as it stands; did you mean 'animationType'?\n");
  CHECK(remarks(R"({"title":"a","imageURL":"https://x.test/1.jpg","text":"b","url":"c"})") == "");
}

TEST_CASE("iacrea.video: a webhook is sent in the object, wherever it is given, and is no part of the video") {
  const std::string inside = video(R"({"webhookUrl":"https://hook.test/1"})");
  const std::string sent = R"("type":"image"}],"webhookUrl":"https://hook.test/1"}})";
  const Normalised first = with_video(inside);
  REQUIRE(lines_of(first.problems) == "");
  CHECK(kKind.submit(first.fields, "marker").body.ends_with(sent));
  const Normalised beside = kKind.normalise(cells({{"video", kSmallest}, {"webhook_url", "https://hook.test/1"}}));
  CHECK(kKind.submit(beside.fields, "marker").body.ends_with(sent));
  CHECK(lines_of(kKind.normalise(cells({{"video", inside}, {"webhook_url", "https://hook.test/1"}})).problems) == "");
  CHECK(lines_of(kKind.normalise(cells({{"video", inside}, {"webhook_url", "https://hook.test/2"}})).problems) ==
        "webhook_url: is another one than the webhookUrl in video; give one of them\n");
  // What is compared has no webhook in it.
  const Normalised other = with_video(video(R"({"webhookUrl":"https://hook.test/2"})"));
  for (const Normalised* normal : {&first, &beside, &other}) {
    const NormalField* object = find_field(normal->fields, "video");
    REQUIRE(object != nullptr);
    CHECK(object->json == find_field(with_video(kSmallest).fields, "video")->json);
    CHECK_FALSE(find_field(normal->fields, "webhook_url")->spec->is_content);
  }
}

TEST_CASE("iacrea.video: a webhook in the object is read as the field beside it is") {
  const std::string plain = json_of(with_video(kSmallest), "video");
  struct Case {
    const char* inside;
    const char* webhook;
    const char* problems;
    const char* remarks;
  };
  const std::vector<Case> cases = {
      {"null", "(absent)", "", ""},
      {R"("")", "(absent)", "", ""},
      {R"("www.hook.test")", R"("https://www.hook.test")", "", "video: webhookUrl: put https:// before the address\n"},
      {R"("no")", "(absent)", "video: webhookUrl: 'no' is not an address: needs to begin with http:// or https://\n",
       ""},
      {"[]", "(absent)", "video: webhookUrl: needs to be one address, not a list\n", ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.inside);
    const Normalised normal = with_video(video(fmt::format(R"({{"webhookUrl":{}}})", c.inside)));
    CHECK(json_of(normal, "video") == plain);
    CHECK(json_of(normal, "webhook_url") == c.webhook);
    CHECK(lines_of(normal.problems) == c.problems);
    CHECK(lines_of(normal.remarks) == c.remarks);
  }
  // One beside it counts, and is sent once, in the place of its name.
  const std::string none = video(R"({"webhookUrl":null,"zoom":1})");
  const Normalised beside = kKind.normalise(cells({{"video", none}, {"webhook_url", "https://hook.test/1"}}));
  CHECK(kKind.submit(beside.fields, "marker")
            .body.ends_with(R"("type":"image"}],"webhookUrl":"https://hook.test/1","zoom":1}})"));
}

TEST_CASE("iacrea.video: a video that was kept with its webhook inside is the same as one without") {
  const std::string old_form = video(R"({"webhookUrl":"https://hook.test/1"})");
  const RawFields kept = {{"video", {RawValue::Form::Json, old_form}}};
  const Normalised before = kKind.normalise(kept);
  REQUIRE(lines_of(before.problems) == "");
  const Normalised without = with_video(kSmallest);
  const Normalised moved = kKind.normalise(cells({{"video", kSmallest}, {"webhook_url", "https://hook.test/2"}}));
  const Normalised renewed = with_video(video(R"({"webhookUrl":"https://hook.test/3"})"));
  for (const Normalised* now : {&without, &moved, &renewed}) {
    CHECK(changes_between(before.fields, now->fields, {}).empty());
    CHECK(changes_between(now->fields, before.fields, {}).empty());
  }
  const Normalised other = with_video(video(R"({"music":"calm","webhookUrl":"https://hook.test/1"})"));
  CHECK(changes_between(before.fields, other.fields, {}).size() == 1);
  // What is sent is what the object said.
  CHECK(kKind.submit(before.fields, "marker").body == R"({"video":)" + old_form + "}");
}

TEST_CASE("iacrea.video: a row with an id follows, and sends nothing") {
  const Normalised normal = kKind.normalise(cells({{"video_id", " 550e8400/x "}}));
  REQUIRE(lines_of(normal.problems) == "");
  CHECK(kKind.followed(normal.fields) == "550e8400/x");
  CHECK(kKind.subject(normal.fields).empty());
  const std::vector<PolledJob> job{{"550e8400/x"}};
  CHECK(kKind.poll(job).path == "/api/video-editor/generate/video/550e8400%2Fx");
}

TEST_CASE("iacrea.video: an answer that names another video says nothing of this one") {
  const std::vector<PolledJob> job{{"v-1", {}}};
  const auto read = [&](const std::string& id) {
    const std::string body = R"({"status":"DONE","id":)" + id + R"(,"url":"https://cdn.test/v.mp4"})";
    return kKind.read_poll(job, {200, body}).front().outcome;
  };
  CHECK(read(R"("v-1")") == PollOutcome::Done);
  CHECK(read("null") == PollOutcome::Done);
  CHECK(read(R"("")") == PollOutcome::Done);
  CHECK(read(R"("v-2")") == PollOutcome::TryAgain);
}

TEST_CASE("iacrea.video: exactly one of id and object") {
  CHECK(lines_of(kKind.normalise({}).problems) ==
        "video: is missing; give the object of a new video, or the video_id of one to be followed\n");
  CHECK(lines_of(kKind.normalise(cells({{"video_id", " "}, {"video", "null"}})).problems) ==
        "video: is missing; give the object of a new video, or the video_id of one to be followed\n");
  CHECK(lines_of(kKind.normalise(cells({{"video_id", "a"}, {"video", kSmallest}})).problems) ==
        "video_id: stands beside video; give one of them: an id follows a video, an object makes a new one\n");
  // One that is wrong is told alone.
  CHECK(kKind.normalise(cells({{"video_id", ".."}})).problems.size() == 1);
}

TEST_CASE("iacrea.video: equal videos are equal content, whatever the order of members and the spelling of numbers") {
  const auto same = [](std::string_view a, std::string_view b) {
    const Normalised left = with_video(a);
    const Normalised right = with_video(b);
    REQUIRE(lines_of(left.problems) == "");
    REQUIRE(lines_of(right.problems) == "");
    return json_of(left, "video") == json_of(right, "video");
  };
  CHECK(same(video(R"({"a":{"x":1,"y":2},"b":5})"), video(R"({"b":5.0,"a":{"y":2e0,"x":1.00}})")));
  CHECK(same(video(R"({"format":"PORTRAIT","displayLogo":"no"})"), video(R"({"displayLogo":false})")));
  CHECK(same(video(R"({"font":null})"), kSmallest));
  CHECK(same(sequence(R"({"order":"0","duration":"4.0","type":"IMAGE"})"), kSmallest));
  CHECK_FALSE(same(video(R"({"a":[1,2]})"), video(R"({"a":[2,1]})")));
  CHECK_FALSE(same(video(R"({"a":null})"), kSmallest));
  CHECK_FALSE(same(video(R"({"a":"5"})"), video(R"({"a":5})")));
  CHECK_FALSE(same(video(R"({"a":9007199254740993})"), video(R"({"a":9007199254740992})")));
}

TEST_CASE("iacrea.video: problems name the member and say what would be right") {
  struct Case {
    std::string video;
    std::string_view problem;
  };
  const Case cases[] = {
      {"[]", "needs to be a map with format, colors and sequences"},
      {"\"x\"", "needs to be a map with format, colors and sequences"},
      {R"({"video":{}})", "has a member 'video'; give what is inside it, the request's own frame is added"},
      {R"({"a":1,"a":1})", "has 'a' twice in one map"},
      {R"({"sequences":[{"b":{"c":1,"c":2}}]})", "has 'c' twice in one map"},
      {video(R"({"format":null})"), "format: is missing; needs to be landscape, portrait or square"},
      {video(R"({"format":"16:9"})"), "format: needs to be landscape, portrait or square, not '16:9'"},
      {video(R"({"colors":[]})"), "colors: is missing; needs two colours, background and text"},
      {video(R"({"colors":["#000"]})"), "colors: needs exactly two colours, background and text, has 1"},
      {video(R"({"displayLogo":true})"), "logoUrl: is missing; a logo that is shown needs its address"},
      {video(R"({"displayLogo":true,"logoUrl":"x"})"),
       "logoUrl: 'x' is not an address: needs to begin with http:// or https://"},
      {sequence(R"({"order":0,"duration":3,"type":"intro","data":{"displayLogo":true}})"),
       "logoUrl: is missing; a logo that is shown needs its address"},
      {sequence(R"({"order":0,"duration":3,"type":"intro","data":{"displayLogo":"yes"}})"),
       "logoUrl: is missing; a logo that is shown needs its address"},
      {sequence(R"({"order":0,"duration":3,"type":"intro","data":{"displayLogo":"oui"}})"),
       "sequences[0].data.displayLogo: needs to be one of true, false, yes, no, 1, 0, not 'oui'"},
      {video(R"({"displayLogo":7})"), "displayLogo: needs to be one of true, false, yes, no, 1, 0, not '7'"},
      {video(R"({"font":{}})"), "font: needs to be one text, not a map"},
      {video(R"({"sequences":null})"), "sequences: is missing; needs at least one sequence"},
      {video(R"({"sequences":{}})"), "sequences: needs to be a list of maps, one a sequence"},
      {video(R"({"sequences":[]})"), "sequences: needs at least one sequence"},
      {sequence("7"), "sequences[0]: needs to be a map with order, duration and type"},
      {sequence(R"({"duration":3,"type":"image"})"),
       "sequences[0].order: is missing; needs its place as a number, from 0"},
      {sequence(R"({"order":-1,"duration":3,"type":"image"})"),
       "sequences[0].order: needs to be a number from 0 to 2147483647, not '-1'"},
      {sequence(R"({"order":0,"type":"image"})"), "sequences[0].duration: is missing; needs a number of seconds"},
      {sequence(R"({"order":0,"duration":"3,5","type":"image"})"),
       "sequences[0].duration: needs to be a number from 0 to 3600, not '3,5'"},
      {sequence(R"({"order":0,"duration":0,"type":"image"})"),
       "sequences[0].duration: needs to be more than 0 seconds"},
      {sequence(R"({"order":0,"duration":3})"),
       "sequences[0].type: is missing; needs to be intro, outro, video, image or beforeAfter"},
      {sequence(R"({"order":0,"duration":3,"type":"vidéo"})"),
       "sequences[0].type: needs to be intro, outro, video, image or beforeAfter, not 'vidéo'; did you mean 'video'?"},
      {sequence(R"({"order":0,"duration":1,"type":"intro"})"),
       "sequences[0].duration: needs to be from 2 to 5 seconds for type intro"},
      {sequence(R"({"order":0,"duration":2,"type":"outro"})"),
       "sequences[0].duration: needs to be from 3 to 5 seconds for type outro"},
      {sequence(R"({"order":0,"duration":5,"type":"video"})"),
       "sequences[0].animationType: is missing; type video needs one"},
      {sequence(R"({"order":0,"duration":3,"type":"image"},{"order":1,"duration":3})"),
       "sequences[1].type: is missing; needs to be intro, outro, video, image or beforeAfter"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.video);
    const Normalised normal = with_video(one.video);
    std::string expected = "video: " + std::string(one.problem) + "\n";
    CHECK(lines_of(normal.problems).find(expected) != std::string::npos);
    CHECK(json_of(normal, "video") == "(absent)");
  }
  CHECK(lines_of(with_video("{").problems).starts_with("video: needs to be a map, or one as JSON such as "));
}

TEST_CASE("iacrea.video: everything wrong with a video is told at once") {
  CHECK(with_video(R"({"displayLogo":true,"sequences":[{},{"type":"x"}]})").problems.size() == 9);
}

TEST_CASE("iacrea.video: an animation that is not documented is sent with a remark, and one in lower case is known") {
  const auto animated = [](std::string_view name) {
    return with_video(
        sequence(R"({"order":0,"duration":5,"type":"video","animationType":")" + std::string(name) + R"("})"));
  };
  CHECK(lines_of(animated("camera_push_in").remarks) == "");
  CHECK(json_of(animated("camera_push_in"), "video").find("CAMERA_PUSH_IN") != std::string::npos);
  const Normalised odd = animated("CAMERA_PUSH_INN");
  CHECK(lines_of(odd.problems) == "");
  CHECK(json_of(odd, "video").find("CAMERA_PUSH_INN") != std::string::npos);
  CHECK(lines_of(odd.remarks).find("'CAMERA_PUSH_INN' is not among the documented ones, ") != std::string::npos);
  CHECK(lines_of(odd.remarks).ends_with("sent as it stands; did you mean 'CAMERA_PUSH_IN'?\n"));
}

TEST_CASE("iacrea.video: a video sequence that will be cut is remarked on") {
  const Normalised normal =
      with_video(sequence(R"({"order":0,"duration":6,"type":"video","animationType":"AUTO_EFFECTS"})"));
  CHECK(lines_of(normal.problems) == "");
  CHECK(lines_of(normal.remarks) ==
        "video: sequences[0].duration: the service cuts a sequence of type video to 5 seconds\n");
}

TEST_CASE("iacrea.video: an intro that is not first, or an outro that is not last, is remarked on") {
  const auto remarks = [](int intro, int image, int outro) {
    const Normalised normal = with_video(
        sequence(fmt::format(R"({{"order":{},"duration":3,"type":"intro"}},{{"order":{},"duration":3,"type":"image"}},)"
                             R"({{"order":{},"duration":3,"type":"outro"}})",
                             intro, image, outro)));
    CHECK(lines_of(normal.problems) == "");
    return lines_of(normal.remarks);
  };
  CHECK(remarks(0, 1, 2) == "");
  CHECK(remarks(1, 0, 2) == "video: sequences[0].order: an intro is meant to be the first sequence\n");
  CHECK(remarks(0, 2, 1) == "video: sequences[2].order: an outro is meant to be the last sequence\n");
}

TEST_CASE(
    "iacrea.video: clips in error are told while the video is not finished, and asked for through iacrea.sequence") {
  const auto broken = [](std::string_view body) {
    const std::vector<PolledJob> job{{"v-1"}};
    return kKind.read_poll(job, {200, std::string(body)}).front().broken;
  };
  using Ids = std::vector<std::string>;
  CHECK(
      broken(R"({"status":"GENERATING_VIDEO","generatedContent":[{"id":"a","status":"success"},)"
             R"({"id":"b","status":"error"},{"id":7,"status":" ERROR "},{"id":"","status":"error"},{"status":"error"},)"
             R"({"id":"c","status":"failed"},3]})") == Ids{"b", "7"});
  CHECK(broken(R"({"status":"PENDING","generatedContent":[]})") == Ids{});
  CHECK_FALSE(broken(R"({"status":"PENDING","message":"Re-generating video in error"})"));
  CHECK_FALSE(broken(R"({"status":"GENERATING_VIDEO","generatedContent":{"id":"b","status":"error"}})"));
  // What has ended is not mended.
  CHECK_FALSE(
      broken(R"({"status":"DONE","url":"https://v.test/1.mp4","generatedContent":[{"id":"b","status":"error"}]})"));
  CHECK_FALSE(broken(R"({"status":"ERROR","generatedContent":[{"id":"b","status":"error"}]})"));

  const std::optional<Repair> repair = kKind.repair("v-1", "b");
  REQUIRE(repair);
  const JobKind* kind = find_kind(repair->kind);
  REQUIRE(kind != nullptr);
  const Normalised normal = kind->normalise(repair->fields);
  CHECK(lines_of(normal.problems) == "");
  CHECK(kind->subject(normal.fields) == "v-1");
  const Request request = kind->submit(normal.fields, "");
  CHECK(request.path == "/api/video-editor/generate/sequence/v-1");
  CHECK(request.body == R"({"sequenceId":"b"})");
  CHECK_FALSE(find_kind("iacrea.auto")->repair("v-1", "b"));
}

TEST_CASE("ids of IACrea are opaque, but no addresses and no directions in a path") {
  struct Case {
    std::string id;
    std::string_view problem;
  };
  const Case cases[] = {
      {".", "video_id: needs to be the service's id, not dots\n"},
      {"..", "video_id: needs to be the service's id, not dots\n"},
      {"https://iacrea.com/video/1",
       "video_id: needs to be the id alone, not the address 'https://iacrea.com/video/1'\n"},
      {std::string(256, 'x'), "video_id: has 256 characters; an id has at most 255\n"},
      {"a\nb", "video_id: needs to be on one line, without tabs\n"},
      {"...", ""},
      {"42", ""},
      {"é/?#%", ""},
  };
  for (const Case& one : cases) {
    CAPTURE(one.id);
    CHECK(lines_of(kKind.normalise(cells({{"video_id", one.id}})).problems) == one.problem);
  }
}

}  // namespace reelbatch
