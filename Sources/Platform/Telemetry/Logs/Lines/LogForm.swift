import Logging
import MartletCore

/// How lines look.
public enum LogForm: Sendable, Hashable {
    /// One JSON object a line, for programs.
    case json
    /// For people, who may like colours.
    case text(inColour: Bool)

    /// The line with its break; at most 8 KiB.
    func line(of entry: LogEntry) -> [UInt8] {
        switch self {
        case .json: JSONLine.of(entry)
        case .text(let inColour): TextLine.of(entry, inColour: inColour)
        }
    }
}

/// `{"time":…,"level":…,"logger":…,"message":…,"request_id":…,…}`
enum JSONLine {
    static func of(_ entry: LogEntry) -> [UInt8] {
        var line = LineBytes(isQuoting: true)
        line.append("{\"time\":\"")
        line.append(entry.moment)
        line.append("\",\"level\":\"")
        line.append(number: entry.level.rawValue)
        line.append("\",\"logger\":\"")
        line.append(text: entry.label)
        line.append("\",\"message\":\"")
        line.append(text: entry.message)
        line.append("\"")
        for field in entry.fields.prefix(1) { line.append(field) }
        if let trace = entry.trace { line.append(trace) }
        for field in entry.fields.dropFirst() { line.append(field) }
        let leading = entry.leading
        for field in leading { line.append(field.name, field.value) }
        line.append(errors: entry)
        for field in entry.further(than: leading.count) { line.append(field.name, field.value, isFurther: true) }
        if line.isCut { line.append(",\"cut\":true") }
        line.append("}\n")
        return line.bytes
    }
}

extension LineBytes {
    fileprivate mutating func append(_ field: LogField) {
        append(partNamed: field.name.utf8CodeUnitCount) { line in
            line.append(",\"")
            line.append(field.name)
            line.append("\":")
            switch field.value {
            case .text(let text): line.append(string: text)
            case .identifier(let uuid): line.append(string: uuid.text)
            case .whole(let number): line.append(number)
            case .hundredths(let number): line.append(hundredths: number)
            }
        }
    }

    fileprivate mutating func append(_ trace: Trace) {
        append(partNamed: 64) { line in
            line.append(",\"trace_id\":\"")
            line.append(hexadecimal: trace.recorder.id.high)
            line.append(hexadecimal: trace.recorder.id.low)
            line.append("\",\"span_id\":\"")
            line.append(hexadecimal: trace.span.bits)
            line.append("\"")
        }
    }

    fileprivate mutating func append(_ name: String, _ value: Logger.MetadataValue, isFurther: Bool = false) {
        append(partNamed: name.utf8.count) { line in
            line.append(",\"")
            line.append(text: name)
            line.append("\":")
            if isFurther, Redaction.isSecret(name) { line.append(string: Redaction.mask) } else { line.append(json: value, named: name) }
        }
    }

    fileprivate mutating func append(errors entry: LogEntry) {
        if let error = entry.errors.first ?? entry.metadata["error"]?.description { append("error", .string(error)) }
        if entry.errors.count > 1 { append("causes", .array(entry.errors.dropFirst().map { .string($0) })) }
    }

    private mutating func append(json value: Logger.MetadataValue, named name: String) {
        switch value {
        case .string(let text): append(scalar: text, isNumber: LogEntry.numbers.contains(name))
        case .stringConvertible(let value): append(scalar: value.description, isNumber: value is any Numeric)
        case .array(let values): append(list: values)
        case .dictionary(let members): append(members: members)
        }
    }

    private mutating func append(scalar text: String, isNumber: Bool) {
        if isNumber, NumberText.holds(text) { append(number: text) } else { append(string: text) }
    }

    private mutating func append(string text: String) {
        append("\"")
        append(text: text)
        append("\"")
    }

    private mutating func append(list values: [Logger.MetadataValue]) {
        append("[")
        for (index, value) in values.enumerated() {
            append(partNamed: 0) { line in
                if index > 0 { line.append(",") }
                line.append(json: value, named: "")
            }
        }
        append("]")
    }

    /// Nested values are texts: nobody nests deeper than that, and a line stays a line.
    private mutating func append(members: Logger.Metadata) {
        append("{")
        for (index, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
            append(partNamed: member.key.utf8.count) { line in
                if index > 0 { line.append(",") }
                line.append(string: member.key)
                line.append(":")
                line.append(string: Redaction.isSecret(member.key) ? Redaction.mask : member.value.description)
            }
        }
        append("}")
    }
}
