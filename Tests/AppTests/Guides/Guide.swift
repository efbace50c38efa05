/// Code that a guide shows and a test compiles: the same text in both, by name.
enum Guide {
    /// The ```` ```swift ```` blocks of a guide, each under the name in the comment before it: `<!-- guide:handler -->`.
    ///
    /// Throws for a block without a name: it would not be compared.
    static func blocks(of markdown: String) throws -> [String: String] {
        var blocks: [String: String] = [:]
        var (name, block): (String?, [Substring]?) = (nil, nil)
        for line in markdown.split(separator: "\n", omittingEmptySubsequences: false) {
            if let lines = block {
                block = line == "```" ? nil : lines + [line]
                if block == nil { blocks[try unwrap(name)] = unindented(lines) }
                if block == nil { name = nil }
            } else if line == "```swift" {
                _ = try unwrap(name)
                block = []
            } else if let match = line.wholeMatch(of: /<!-- guide:([a-z]+) -->/) {
                name = String(match.1)
            }
        }
        return blocks
    }

    /// What stands between `// guide:handler` and `// end` in a source file.
    static func parts(of source: String) throws -> [String: String] {
        var parts: [String: String] = [:]
        var (name, lines): (String?, [Substring]) = (nil, [])
        for line in source.split(separator: "\n", omittingEmptySubsequences: false) {
            if let match = line.wholeMatch(of: /\ *\/\/ guide:([a-z]+)/) {
                (name, lines) = (String(match.1), [])
            } else if let ending = name, line.wholeMatch(of: /\ *\/\/ end/) != nil {
                parts[ending] = unindented(lines)
                name = nil
            } else {
                lines.append(line)
            }
        }
        guard name == nil else { throw Unnamed() }
        return parts
    }

    struct Unnamed: Error {}

    private static func unwrap(_ name: String?) throws -> String {
        guard let name else { throw Unnamed() }
        return name
    }

    private static func unindented(_ lines: [Substring]) -> String {
        let depth = lines.filter { !$0.isEmpty }.map { $0.prefix { $0 == " " }.count }.min() ?? 0
        return lines.map { $0.dropFirst(depth) }.joined(separator: "\n")
    }
}
