/// The name somebody may have meant.
enum Suggestion {
    /// The nearest of the candidates, or `nil` when none is near: at most a third of the name may differ.
    static func closest(to name: String, among candidates: [String]) -> String? {
        let distances = candidates.map { (distance(name, $0), $0) }
        guard let (distance, candidate) = distances.min(by: { $0.0 < $1.0 }), distance <= max(2, name.count / 3) else { return nil }
        return candidate
    }

    /// How many letters must be inserted, deleted or replaced to get from one to the other (Levenshtein).
    static func distance(_ left: String, _ right: String) -> Int {
        let right = Array(right)
        var row = Array(0...right.count)
        for (index, letter) in left.enumerated() {
            var next = [index + 1]
            for column in right.indices {
                let replaced = row[column] + (letter == right[column] ? 0 : 1)
                next.append(min(replaced, row[column + 1] + 1, next[column] + 1))
            }
            row = next
        }
        return row[right.count]
    }
}
