// SPDX-License-Identifier: Apache-2.0
// Sentences to vectors.
#include "app/jobs/label_keys.h"

#include <numeric>

#include "app/jobs/resources.h"
#include "training/data/text_templates.h"
#include "training/evaluation/zero_shot.h"

namespace imprint::jobs {

std::vector<float> LabelKeys::scores(std::span<const float> vector, float mean, float deviation, Modality modality) const
{
    const Vectors& rows = keys[static_cast<int>(modality)];
    std::vector<float> scores(static_cast<size_t>(rows.count()));
    for (int row = 0; row < rows.count(); ++row) {
        const float cosine = std::inner_product(vector.begin(), vector.end(), rows.row(row).begin(), 0.0f);
        scores[static_cast<size_t>(row)] =
            backgrounds[static_cast<int>(modality)][static_cast<size_t>(row)].calibrated((cosine - mean) / deviation, modality);
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

LabelKeys label_keys(Engine& engine, const LabelSet& set, const CancelToken& cancel)
{
    Encoder& encoder = engine.encoder();
    LabelKeys keys;
    if (!set.learned.empty()) {
        keys.learned = read_learned_labels(set, encoder.space());
        return keys;
    }
    const index::BackgroundModel& background = engine.background();
    for (const Modality modality : set.looks_at) {
        const training::TextTemplates templates(resource_folder("prompts") / (std::string(modality_name(modality)) + ".txt"));
        std::vector<Vectors> prompts;
        for (const LabelClass& label : set.classes) {
            cancel.check();
            std::vector<std::string> texts = templates.all(label.name);
            for (const std::string& synonym : label.synonyms)
                for (std::string& text : templates.all(synonym))
                    texts.push_back(std::move(text));
            texts.insert(texts.end(), label.prompts.begin(), label.prompts.end());
            prompts.push_back(encoder.encode_texts(texts));
        }
        for (const std::string& sentence : set.none)
            prompts.push_back(encoder.encode_texts(std::vector<std::string>{sentence}));
        const auto m = static_cast<size_t>(modality);
        keys.keys[m] = evaluation::class_keys(prompts);
        for (int row = 0; row < keys.keys[m].count(); ++row)
            keys.backgrounds[m].push_back(background.of(keys.keys[m].row(row)));
    }
    return keys;
}

}  // namespace imprint::jobs
