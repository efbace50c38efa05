import Logging

/// `09:30:00.711 INFO    martlet.access  GET /api/v1/bookmarks/{id} 200  ms=0.31 …`, for people at a terminal.
enum TextLine {
    static func of(_ entry: LogEntry, inColour: Bool) -> [UInt8] {
        var line = LineBytes(isQuoting: false)
        let paint = Paint(isOn: inColour)
        line.append(entry.moment)
        line.append(" ")
        paint.level(entry.level, &line)
        line.append(" ")
        line.append(text: entry.message)
        line.append("  ")
        let leading = entry.leading
        if let error = entry.errors.first.map({ _ in entry.errors.joined(separator: ": ") }) ?? entry.metadata["error"]?.description {
            paint.field("error", error, &line)
        }
        for field in entry.fields.prefix(1) { paint.field(field, &line) }
        if let trace = entry.trace {
            paint.field("trace_id", "\(trace.recorder.id)", &line)
            paint.field("span_id", "\(trace.span)", &line)
        }
        for field in entry.fields.dropFirst() { paint.field(field, &line) }
        for field in leading { paint.field(field.name, field.value.description, &line) }
        for field in entry.further(than: leading.count) {
            paint.field(field.name, Redaction.isSecret(field.name) ? Redaction.mask : field.value.shown, &line)
        }
        paint.field("logger", entry.label, &line)
        if line.isCut { line.append("…") }
        line.append("\n")
        return line.bytes
    }
}

/// ANSI colours (ECMA-48 §8.3.117), or none.
private struct Paint {
    let isOn: Bool

    func level(_ level: Logger.Level, _ line: inout LineBytes) {
        if isOn { colour(of: level, &line) }
        line.append(number: level.rawValue.uppercased())
        if isOn { line.append("\u{1b}[0m") }
        for _ in level.rawValue.count..<8 { line.append(" ") }
    }

    func field(_ field: LogField, _ line: inout LineBytes) { self.field("\(field.name)", "\(field.value)", &line) }

    func field(_ name: String, _ value: String, _ line: inout LineBytes) {
        line.append(partNamed: name.utf8.count) { line in
            if isOn { line.append("\u{1b}[2m") }
            line.append(text: name)
            line.append("=")
            if isOn { line.append("\u{1b}[0m") }
            line.append(text: value)
            line.append(" ")
        }
    }

    private func colour(of level: Logger.Level, _ line: inout LineBytes) {
        switch level {
        case .trace, .debug: line.append("\u{1b}[2m")
        case .info: line.append("\u{1b}[32m")
        case .notice: line.append("\u{1b}[36m")
        case .warning: line.append("\u{1b}[33m")
        case .error, .critical: line.append("\u{1b}[31m")
        }
    }
}

extension Logger.MetadataValue {
    /// Like its description, without what members of such names must not show.
    fileprivate var shown: String {
        guard case .dictionary(let members) = self else { return description }
        let shown = members.sorted { $0.key < $1.key }.map {
            "\($0.key): \(Redaction.isSecret($0.key) ? Redaction.mask : $0.value.description)"
        }
        return "{\(shown.joined(separator: ", "))}"
    }
}
