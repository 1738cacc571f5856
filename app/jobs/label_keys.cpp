// SPDX-License-Identifier: Apache-2.0
// Sentences to vectors.
#include "app/jobs/label_keys.h"

#include <cmath>
#include <numeric>

#include "app/jobs/prompt_cache.h"
#include "app/jobs/resources.h"
#include "training/data/text_templates.h"
#include "training/evaluation/zero_shot.h"

namespace imprint::jobs {
namespace {

/// What the model is asked for a set in one modality.
struct Prompts {
    std::vector<std::vector<std::string>> rows;  ///< each becomes a key
    std::vector<std::string> glosses;            ///< what a row's label means; empty where the lexicon has nothing

    std::vector<std::string> all() const
    {
        std::vector<std::string> texts{std::to_string(kGlossShare)};
        for (size_t row = 0; row < rows.size(); ++row) {
            texts.push_back(glosses[row]);
            texts.insert(texts.end(), rows[row].begin(), rows[row].end());
            texts.emplace_back();  // two sets that cut their texts otherwise are not the same
        }
        return texts;
    }
};

Prompts prompts_of(const LabelSet& set, Modality modality, const Lexicon& lexicon)
{
    const training::TextTemplates templates(resource_folder("prompts") / (std::string(modality_name(modality)) + ".txt"));
    Prompts prompts;
    for (const LabelClass& label : set.classes) {
        std::vector<std::string> texts = templates.all(label.name);
        for (const std::string& synonym : label.synonyms)
            for (std::string& text : templates.all(synonym))
                texts.push_back(std::move(text));
        texts.insert(texts.end(), label.prompts.begin(), label.prompts.end());
        prompts.rows.push_back(std::move(texts));
        prompts.glosses.emplace_back(lexicon.gloss(label.name));
    }
    for (const std::string& sentence : set.none) {
        prompts.rows.push_back({sentence});
        prompts.glosses.emplace_back();
    }
    return prompts;
}

/// `progress` hears of every row, by its number.
Vectors encoded(Encoder& encoder, const Prompts& prompts, const CancelToken& cancel, const std::function<void(size_t)>& progress)
{
    std::vector<Vectors> rows;
    for (const auto& texts : prompts.rows) {
        cancel.check();
        progress(rows.size());
        rows.push_back(encoder.encode_texts(texts));
    }
    Vectors keys = evaluation::class_keys(rows);
    for (int row = 0; row < keys.count(); ++row) {
        const std::string& gloss = prompts.glosses[static_cast<size_t>(row)];
        if (gloss.empty())
            continue;
        const Vectors meaning = encoder.encode_texts(std::span(&gloss, 1));
        float* key = keys.values.data() + static_cast<size_t>(row) * static_cast<size_t>(keys.dim);
        double squares = 0;
        for (int d = 0; d < keys.dim; ++d) {
            key[d] += kGlossShare * meaning.values[static_cast<size_t>(d)];
            squares += static_cast<double>(key[d]) * key[d];
        }
        for (int d = 0; d < keys.dim; ++d)
            key[d] /= static_cast<float>(std::sqrt(squares));
    }
    return keys;
}

}  // namespace

std::vector<float> LabelKeys::scores(std::span<const float> vector, float mean, float deviation, Modality modality) const
{
    const Vectors& rows = keys[static_cast<int>(modality)];
    std::vector<float> scores(static_cast<size_t>(rows.count()));
    for (int row = 0; row < rows.count(); ++row) {
        const float cosine = std::inner_product(vector.begin(), vector.end(), rows.row(row).begin(), 0.0f);
        scores[static_cast<size_t>(row)] = backgrounds[static_cast<int>(modality)][static_cast<size_t>(row)].standardised(
            index::label_score(cosine, mean, deviation), modality);
    }
    return scores;
}

std::vector<double> LabelKeys::probabilities(const LabelSet& set, std::span<const float> vector, float mean, float deviation,
                                             Modality modality, const LabelOptions& options) const
{
    if (learned)
        return learned->layers[static_cast<size_t>(modality)]->probabilities(vector);
    return label_probabilities(set, scores(vector, mean, deviation, modality), options);
}

LabelKeys label_keys(Engine& engine, const LabelSet& set, const CancelToken& cancel, const std::function<void(double)>& progress)
{
    Encoder& encoder = engine.encoder();
    LabelKeys keys;
    if (!set.learned.empty()) {
        keys.learned = read_learned_labels(set, encoder.space());
        return keys;
    }
    const index::BackgroundModel background(encoder.text_bank(), encoder.background(Modality::Picture),
                                            encoder.background(Modality::Sound), {}, index::Scores::OfLabels);
    size_t sense = 0;
    for (const Modality modality : set.looks_at) {
        const auto m = static_cast<size_t>(modality);
        const Prompts prompts = prompts_of(set, modality, engine.lexicon());
        const auto tell = [&](size_t row) {
            const double share = static_cast<double>(row) / static_cast<double>(prompts.rows.size());
            if (progress)
                progress((static_cast<double>(sense) + share) / static_cast<double>(set.looks_at.size()));
        };
        keys.keys[m] = kept_keys(engine, prompts.all(), [&] { return encoded(encoder, prompts, cancel, tell); });
        ++sense;
        for (int row = 0; row < keys.keys[m].count(); ++row)
            keys.backgrounds[m].push_back(background.of(keys.keys[m].row(row)));
    }
    return keys;
}

}  // namespace imprint::jobs
