// SPDX-License-Identifier: Apache-2.0
// See cross_pools.h.
#include "training/evaluation/cross_pools.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "core/base/error.h"
#include "training/evaluation/metrics.h"
#include "training/evaluation/ranking.h"

namespace imprint::evaluation {
namespace {

using nlohmann::json;

constexpr double kFilmWindow = 1.5, kFrameEvery = 0.75;  // seconds; half a shot, so that each shot has windows of its own

struct Suite {
    const char* name;
    const char* direction;
    const char* labels;
};
constexpr Suite kSuites[] = {{"notes", "note to one of 128 instruments", "instruments"},
                             {"motion", "film to one of 8 texts about its thing", "ways of moving"},
                             {"image_sound", "image to sound", "things"},
                             {"panzoom", "text to a span of a film", "clean"}};

/// Lines of a pool's list as `row(json)` takes them; what it throws names file and line.
void each_row(const std::filesystem::path& file, const std::function<void(const json&)>& row)
{
    std::ifstream in(file);
    if (!in)
        throw Error(ErrorKind::NotFound, file.string(), "the pool's list is not there",
                    "Prepare the corpus with training/corpus, or name its folder with --corpus");
    int number = 0;
    for (std::string line; std::getline(in, line);) {
        ++number;
        try {
            if (!line.empty())
                row(json::parse(line));
        } catch (const std::exception& error) {
            throw Error(ErrorKind::Malformed, file.string() + ":" + std::to_string(number), error.what());
        }
    }
}

std::vector<std::string> lines_of(const std::filesystem::path& file)
{
    std::ifstream in(file);
    if (!in)
        throw Error(ErrorKind::NotFound, file.string(), "the corpus's texts are not there",
                    "Prepare the corpus with training/corpus");
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);)
        lines.push_back(line);
    return lines;
}

/// A suite at work: reads rows, decodes and encodes their media, and leaves out what cannot be decoded.
class Work {
public:
    Work(std::filesystem::path corpus, Encoder& encoder, media::Decoder& decoder, const CrossPoolOptions& options)
        : corpus_(std::move(corpus)), encoder_(encoder), decoder_(decoder), lexicon_(options.lexicon), cancel_(options.cancel)
    {
    }

    std::filesystem::path list(const std::string& name) const { return corpus_ / "pools" / (name + ".jsonl"); }
    const std::filesystem::path& corpus() const { return corpus_; }
    Vectors ask(const std::vector<std::string>& texts) const
    {
        return lexicon_ ? encode_queries(encoder_, *lexicon_, texts) : encoder_.encode_texts(texts);
    }
    json& failed() { return failed_; }

    /// One vector for each file that can be decoded, and which of `files` those are.
    struct Encoded {
        Vectors vectors;
        std::vector<size_t> from;
    };
    Encoded pictures(const std::vector<std::string>& files)
    {
        return encode<media::Picture>(
            files, [&](const std::filesystem::path& file) { return decoder_.still(file, fit(), cancel_); },
            [&](const auto& all) { return encoder_.encode_pictures(all); });
    }
    /// The beginning of each sound, as much as one vector covers.
    Encoded sounds(const std::vector<std::string>& files)
    {
        return encode<media::Sound>(
            files,
            [&](const std::filesystem::path& file) {
                media::Sound sound = decoder_.sound(file, 0, encoder_.sound_window(), cancel_);
                if (sound.samples.empty())
                    throw Error(ErrorKind::Malformed, file.string(), "holds no sound");
                const auto most = static_cast<size_t>(encoder_.sound_window() * media::kSampleRate);
                sound.samples.resize(std::min(sound.samples.size(), most));
                return sound;
            },
            [&](const auto& all) { return encoder_.encode_sounds(all); });
    }
    /// Films as folders of 0.jpg, 1.jpg, …
    Encoded films(const std::vector<std::string>& folders, int frames)
    {
        return encode<std::vector<media::Picture>>(
            folders,
            [&](const std::filesystem::path& folder) {
                std::vector<media::Picture> clip;
                for (int n = 0; n < frames; ++n)
                    clip.push_back(decoder_.still(folder / (std::to_string(n) + ".jpg"), fit(), cancel_));
                return clip;
            },
            [&](const auto& all) { return encoder_.encode_clips(all); });
    }
    /// Clips of a video, each shown by the frames at its times.
    Encoded clips(const std::string& video, const std::vector<std::vector<double>>& times)
    {
        return encode<std::vector<media::Picture>>(
            std::vector<std::string>(times.size(), video),
            [&, next = size_t{0}](const std::filesystem::path& file) mutable {
                return decoder_.frames(file, times[next++], fit(), cancel_);
            },
            [&](const auto& all) { return encoder_.encode_clips(all); }, false);
    }

private:
    media::Fit fit() const { return {encoder_.picture_sizes()}; }

    template <typename Medium, typename Decode, typename Encode>
    Encoded encode(const std::vector<std::string>& files, Decode decode, const Encode& encode_all, bool parallel = true)
    {
        constexpr size_t chunk = 64;  // bounds memory, keeps every decoder busy
        Encoded result;
        for (size_t first = 0; first < files.size(); first += chunk) {
            cancel_.check();
            const auto count = static_cast<int>(std::min(chunk, files.size() - first));
            std::vector<Medium> decoded(static_cast<size_t>(count)), good;
            const auto one = [&](int i) {
                decoded[static_cast<size_t>(i)] = decode(corpus_ / files[first + static_cast<size_t>(i)]);
            };
            std::vector<std::optional<Error>> errors(static_cast<size_t>(count));
            if (parallel)
                errors = in_parallel(count, one);
            else
                for (int i = 0; i < count; ++i)
                    one(i);
            for (int i = 0; i < count; ++i) {
                if (const auto& error = errors[static_cast<size_t>(i)]) {
                    failed_.push_back({{"file", files[first + static_cast<size_t>(i)]}, {"reason", error->reason()}});
                    continue;
                }
                good.push_back(std::move(decoded[static_cast<size_t>(i)]));
                result.from.push_back(first + static_cast<size_t>(i));
            }
            if (!good.empty())
                append(result.vectors, encode_all(good));
        }
        return result;
    }

    std::filesystem::path corpus_;
    Encoder& encoder_;
    media::Decoder& decoder_;
    const Lexicon* lexicon_;
    CancelToken cancel_;
    json failed_ = json::array();
};

/// A question asked of a list of answers.
struct Asked {
    Scores scores;
    std::vector<std::vector<int>> relevant;
};

std::vector<int> each_its_own(int count)
{
    std::vector<int> numbers(static_cast<size_t>(count));
    for (int i = 0; i < count; ++i)
        numbers[static_cast<size_t>(i)] = i;
    return numbers;
}

Asked ask_notes(Work& work)
{
    std::vector<std::string> names, files;
    std::vector<int> program;
    const auto instruments = work.corpus() / "pools" / "instruments.tsv";
    std::ifstream in(instruments);
    for (std::string line; std::getline(in, line);) {
        std::istringstream fields(line);
        std::string number, name;
        std::getline(fields, number, '\t');
        std::getline(fields, name, '\t');
        names.push_back(name);
    }
    each_row(work.list("notes"), [&](const json& row) {
        files.push_back(row.at("path"));
        program.push_back(row.at("program"));
        const auto found = std::find(names.begin(), names.end(), row.at("label").get<std::string>());
        if (found == names.end())
            throw std::out_of_range("names an instrument that instruments.tsv does not");
        program.back() = static_cast<int>(found - names.begin());
    });
    const auto heard = work.sounds(files);
    const Vectors texts = work.ask(names);
    Asked asked{scores_of(heard.vectors, texts, each_its_own(texts.count()), texts.count()), {}};
    for (const size_t i : heard.from)
        asked.relevant.push_back({program[i]});
    return asked;
}

Asked ask_motion(Work& work)
{
    const std::vector<std::string> lines = lines_of(work.corpus() / "texts.txt");
    std::vector<std::string> folders;
    std::vector<std::vector<std::string>> texts;
    std::vector<int> right;
    int frames = 0;
    each_row(work.list("motion"), [&](const json& row) {
        folders.push_back(row.at("path"));
        auto& texts_of_film = texts.emplace_back();
        for (const size_t line : row.at("asked").get<std::vector<size_t>>())
            texts_of_film.push_back(lines.at(line));
        frames = row.at("frames");
        const auto& asked = texts.back();
        const auto found = std::find(asked.begin(), asked.end(), row.at("label").get<std::string>());
        if (found == asked.end() || asked.size() != texts.front().size())
            throw std::out_of_range("does not ask for its own label among equally many");
        right.push_back(static_cast<int>(found - asked.begin()));
    });
    const auto films = work.films(folders, frames);
    const int answers = texts.empty() ? 0 : static_cast<int>(texts.front().size());
    Asked asked{Scores(films.vectors.count(), answers), {}};
    for (int row = 0; row < films.vectors.count(); ++row) {
        const size_t film = films.from[static_cast<size_t>(row)];
        Vectors one{films.vectors.dim, {}};
        one.append(films.vectors.row(row));
        const Scores scores = scores_of(one, work.ask(texts[film]), each_its_own(answers), answers);
        std::copy(scores.values.begin(), scores.values.end(), asked.scores.row(row).begin());
        asked.relevant.push_back({right[film]});
    }
    return asked;
}

Asked ask_image_sound(Work& work)
{
    std::vector<std::string> pictures, sounds;
    std::vector<std::set<std::string>> shown, heard;
    each_row(work.list("image_sound"), [&](const json& row) {
        const bool picture = row.at("kind") == "image";
        (picture ? pictures : sounds).push_back(row.at("path"));
        (picture ? shown : heard).push_back(row.at("words").get<std::set<std::string>>());
    });
    const auto seen = work.pictures(pictures);
    const auto listened = work.sounds(sounds);
    Vectors asking{seen.vectors.dim, {}};
    Asked asked;
    for (size_t row = 0; row < seen.from.size(); ++row) {
        std::vector<int> relevant;
        for (size_t sound = 0; sound < listened.from.size(); ++sound) {
            const auto& words = heard[listened.from[sound]];
            if (std::any_of(words.begin(), words.end(),
                            [&](const std::string& word) { return shown[seen.from[row]].contains(word); }))
                relevant.push_back(static_cast<int>(sound));
        }
        if (relevant.empty())
            continue;  // its sounds could not be decoded, and are listed
        asking.append(seen.vectors.row(static_cast<int>(row)));
        asked.relevant.push_back(std::move(relevant));
    }
    asked.scores = scores_of(asking, listened.vectors, each_its_own(listened.vectors.count()), listened.vectors.count());
    return asked;
}

Asked ask_panzoom(Work& work)
{
    Vectors windows;
    std::map<std::string, std::vector<int>> relevant;  // by label
    int count = 0;
    each_row(work.list("panzoom"), [&](const json& row) {
        std::vector<std::vector<double>> times;
        for (const json& span : row.at("spans")) {
            for (double from = span.at("from"); from + kFilmWindow <= span.at("to").get<double>() + 1e-9; from += kFilmWindow) {
                auto& shown = times.emplace_back();
                for (double at = from + kFrameEvery / 2; at < from + kFilmWindow; at += kFrameEvery)
                    shown.push_back(at);
                relevant[span.at("label")].push_back(count++);
            }
        }
        append(windows, work.clips(row.at("path"), times).vectors);
    });
    std::vector<std::string> labels;
    Asked asked;
    for (auto& [label, rows] : relevant) {
        labels.push_back(label);
        asked.relevant.push_back(std::move(rows));
    }
    asked.scores = scores_of(work.ask(labels), windows, each_its_own(count), count);
    return asked;
}

}  // namespace

const std::vector<std::string>& cross_pool_names()
{
    static const std::vector<std::string> names = [] {
        std::vector<std::string> all;
        for (const Suite& suite : kSuites)
            all.emplace_back(suite.name);
        return all;
    }();
    return names;
}

json evaluate_cross_pool(const std::filesystem::path& corpus, const std::string& name, Encoder& encoder, media::Decoder& decoder,
                         const CrossPoolOptions& options)
{
    const auto suite = std::find_if(std::begin(kSuites), std::end(kSuites), [&](const Suite& s) { return name == s.name; });
    IMPRINT_ASSERT(suite != std::end(kSuites));
    Work work(corpus, encoder, decoder, options);
    const Asked asked = name == "notes" ? ask_notes(work)
        : name == "motion"              ? ask_motion(work)
        : name == "image_sound"         ? ask_image_sound(work)
                                        : ask_panzoom(work);
    if (asked.relevant.empty() || asked.scores.items == 0)
        throw Error(ErrorKind::Malformed, work.list(name).string(), "no item of the pool could be decoded");
    json group = {{"group", "all"}, {"labels", suite->labels}, {"queries", asked.relevant.size()}};
    group["systems"]["model"] = figures(rank_all(asked.scores, asked.relevant), options.bootstrap, options.seed);
    group["systems"]["chance"] = figures(rank_by_chance(asked.scores.items, asked.relevant), options.bootstrap, options.seed);
    return {{"pool", name},
            {"direction", suite->direction},
            {"items", asked.scores.items},
            {"failed", work.failed()},
            {"groups", json::array({group})}};
}

}  // namespace imprint::evaluation
