/// What a strict reader makes of metrics as text; anything it does not expect is an error.
public struct MetricSamples: Sendable {
    public private(set) var values: [String: Double] = [:]
    public private(set) var types: [String: String] = [:]

    public struct Unreadable: Error {
        let line: String
        let why: String
    }

    public init(_ text: String) throws {
        guard text.hasSuffix("\n") else { throw Unreadable(line: text, why: "no line break at the end") }
        var lines = text.dropLast().split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "# EOF" { lines.removeLast() }
        for line in lines { try read(line) }
    }

    /// The value of a series, written as in the text: `hits_total{kind="one"}`.
    public subscript(series: String) -> Double? { values[series] }

    /// How many series a name has.
    public func count(of name: String) -> Int { values.keys.count { $0 == name || $0.hasPrefix(name + "{") } }

    private mutating func read(_ line: String) throws {
        if line.hasPrefix("#") { return try readHead(line) }
        guard let match = line.wholeMatch(of: /([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.+)\})? (\S+)/), let value = Double(match.3) else {
            throw Unreadable(line: line, why: "no sample")
        }
        let series = match.2.map { "\(match.1){\($0)}" } ?? String(match.1)
        guard values.updateValue(value, forKey: series) == nil else { throw Unreadable(line: line, why: "twice") }
        guard types.keys.contains(where: { match.1.hasPrefix($0) }) else { throw Unreadable(line: line, why: "of no family") }
        try match.2.map { try readLabels($0, line) }
    }

    private func readLabels(_ text: Substring, _ line: String) throws {
        var (rest, names) = (text, Set<Substring>())
        while let label = rest.prefixMatch(of: /([a-zA-Z_][a-zA-Z0-9_]*)="(?:[^"\\]|\\["\\n])*"(?:,(?=.)|$)/) {
            guard names.insert(label.1).inserted else { throw Unreadable(line: line, why: "a label twice") }
            rest = rest[label.range.upperBound...]
        }
        guard rest.isEmpty else { throw Unreadable(line: line, why: "no label at \(rest)") }
    }

    private mutating func readHead(_ line: String) throws {
        guard let match = line.wholeMatch(of: /# (HELP|TYPE|UNIT) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)/) else {
            throw Unreadable(line: line, why: "no head")
        }
        guard match.1 == "TYPE" else { return }
        guard types.updateValue(String(match.3), forKey: String(match.2)) == nil else { throw Unreadable(line: line, why: "typed twice") }
    }
}
