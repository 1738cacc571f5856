// SPDX-License-Identifier: Apache-2.0
// The lists of a recipe: data sets, objectives, evaluations. Used by recipe.cpp and recipe_json.cpp alone.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "training/recipe.h"
#include "training/recipe_table.h"

namespace imprint::training::parts {

inline const std::vector<std::string> kDatasetKinds = {"folder", "manifest", "shards", "features", "corpus"};  // by DatasetKind
inline const std::vector<std::string> kLabelLosses = {"softmax", "sigmoid"};                                   // by LabelLoss
inline const std::vector<std::string> kSamplings = {"weighted", "interval"};                                   // by Sampling
inline const std::vector<std::string> kPolicies = {"alternate", "combine", "accumulate"};                      // by Policy
inline const std::vector<std::string> kEvaluations = {"zero-shot", "retrieval", "probe"};  // by EvaluationKind

/// A path of the recipe: relative ones start at the recipe's folder.
std::filesystem::path beside(const std::filesystem::path& recipe, const std::string& path);

/// All read one table and refuse what is wrong with it at its line; what concerns the model and the data sets is checked too.
DatasetRecipe read_dataset(RecipeTable& table, const std::filesystem::path& recipe);
ObjectiveRecipe read_objective(RecipeTable& table, const Recipe& so_far);
EvaluationRecipe read_evaluation(RecipeTable& table, const Recipe& so_far, const std::filesystem::path& recipe);

}  // namespace imprint::training::parts
