/// Names that the exposition formats take, made of whatever a library calls its metrics.
enum MetricName {
    /// The family's name for a handle that was asked for under `label`: `nio.connections` is `nio_connections`, a timer's ends in
    /// `_seconds`. What other kinds add to the names of their samples is kept from being anybody's name.
    static func family(of label: String, _ kind: MetricDescription.Kind, isTime: Bool = false) -> String {
        var name = String(label.map { isLetterOrDigit($0) ? $0 : "_" })
        if name.first?.isNumber ?? true { name = "_" + name }
        switch kind {
        case .counter: return without("_total", name)
        case .info: return without("_info", name)
        case .gauge, .histogram:
            if reserved.contains(where: name.hasSuffix) { name += "_value" }
            return isTime && !name.hasSuffix("_seconds") ? name + "_seconds" : name
        }
    }

    /// A label's name; `le` is the histograms' own, and two underscores are the server's (Prometheus, data model).
    static func label(_ text: String) -> String {
        let name = text.map { isLetterOrDigit($0) ? $0 : "_" }
        let bare = String(name.drop { $0 == "_" })
        return bare.isEmpty || bare.first?.isNumber == true || bare == "le" ? "label_" + bare : bare
    }

    private static let reserved = ["_total", "_info", "_count", "_sum", "_bucket", "_created"]

    /// A name that is nothing else stays.
    private static func without(_ suffix: String, _ name: String) -> String {
        name.hasSuffix(suffix) && name.count > suffix.count ? String(name.dropLast(suffix.count)) : name
    }

    private static func isLetterOrDigit(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || character == "_")
    }
}

/// The labels of a series as they are exposed, `method="GET",status="200"`: the same for the same labels in any order.
struct LabelText: Sendable, Hashable {
    let text: String

    init(_ labels: some Sequence<(name: String, value: String)>) {
        var seen: Set<String> = []
        let valid = labels.map { (MetricName.label($0.name), $0.value) }.filter { seen.insert($0.0).inserted }
        text = valid.sorted { $0.0 < $1.0 }.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",")
    }

    static func escaped(_ value: String) -> String {
        guard value.utf8.contains(where: { $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\n") }) else {
            return value
        }
        return value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
