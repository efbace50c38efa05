import HTTPTypes

/// `field-name ":" OWS field-value OWS` (RFC 9112 §5), without its line end.
///
/// Refuses what invites two parsers to disagree: folded lines, space before the colon, empty names, control bytes in values.
struct FieldLine {
    let name: UnsafeRawBufferPointer
    let value: UnsafeRawBufferPointer

    init(_ line: UnsafeRawBufferPointer) throws(Refusal) {
        guard let colon = line.offset(of: Byte.colon) else { throw .malformedField }
        name = line.part(0..<colon)
        value = line.part(colon + 1..<line.count).trimmed()
        guard colon > 0, ByteClass.token.containsAll(name), Self.isValue(value) else { throw .malformedField }
    }

    var field: HTTPField? {
        HTTPField.Name(String(decoding: name, as: UTF8.self)).map { HTTPField(name: $0, value: value) }
    }

    /// `field-value` (RFC 9110 §5.5): visible characters, spaces, tabs, and bytes beyond ASCII.
    private static func isValue(_ bytes: UnsafeRawBufferPointer) -> Bool {
        for byte in bytes where (byte < Byte.space && byte != Byte.tab) || byte == Byte.delete { return false }
        return true
    }
}
