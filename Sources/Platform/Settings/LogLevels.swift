extension Kind where Value == [String: Settings.LogLevel] {
    /// `martlet.access=warning,martlet.jobs=debug`: loggers by their label, which stands for all labels below it.
    static var logLevels: Kind {
        let levels = Settings.LogLevel.allCases.map(\.rawValue).joined(separator: ", ")
        return Kind(
            "label=level, separated by commas",
            expected: "labels with their levels, separated by commas, such as martlet.jobs=debug; levels are \(levels)",
            write: { $0.map { "\($0.key)=\($0.value.rawValue)" }.sorted().joined(separator: ",") }
        ) { text in
            let entries = text.split(separator: ",").map { $0.trimmed }.filter { !$0.isEmpty }.map(entry)
            let known = entries.compactMap { $0 }
            guard known.count == entries.count else { return nil }
            // The same label twice is a mistake, not a choice.
            let levels = Dictionary(known, uniquingKeysWith: { first, _ in first })
            return levels.count == known.count ? levels : nil
        }
    }

    private static func entry(_ text: String) -> (String, Settings.LogLevel)? {
        let parts = text.split(separator: "=", omittingEmptySubsequences: false).map { $0.trimmed }
        guard parts.count == 2, isLabel(parts[0]), let level = Settings.LogLevel(rawValue: parts[1].lowercased()) else { return nil }
        return (parts[0], level)
    }

    private static func isLabel(_ text: String) -> Bool {
        (1...100).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x61...0x7A).contains($0 | 0x20) || (0x30...0x39).contains($0) || "._-".utf8.contains($0) }
    }
}
