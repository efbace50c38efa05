import Testing

@testable import MartletPostgres
@testable import MartletStorage

/// The bytes that hexadecimal digits name.
func bytes(_ hex: String) -> [UInt8] {
    let digits = hex.compactMap(\.hexDigitValue)
    precondition(digits.count.isMultiple(of: 2) && digits.count == hex.count)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
}

/// What the driver makes of bytes that a server sent. They lie at the end of their own memory, so that a sanitizer sees reads beyond it.
func received(_ bytes: [UInt8], as oid: UInt32) -> SQLValue? {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { memory.deallocate() }
    memory.copyBytes(from: bytes)
    return PostgresValue.decode(UnsafeRawBufferPointer(memory), type: oid)
}

func received(_ hex: String, as type: PostgresType) -> SQLValue? {
    received(bytes(hex), as: type.rawValue)
}

/// One parameter as libpq would send it.
struct SentParameter: Equatable {
    var oid: UInt32
    var format: Int32
    /// `nil` for NULL.
    var bytes: [UInt8]?
}

func sent(_ values: [SQLValue]) throws -> [SentParameter] {
    let parameters = try PostgresParameters(values)
    return try parameters.withPointers { count, values, lengths, formats in
        let (values, lengths, formats) = try (#require(values), #require(lengths), #require(formats))
        #expect(parameters.oids.count == Int(count))
        return (0..<Int(count)).map { index in
            let bytes = values[index].map { sentBytes($0, length: lengths[index], format: formats[index]) }
            return SentParameter(oid: parameters.oids[index], format: formats[index], bytes: bytes)
        }
    }
}

/// libpq takes text up to its NUL, and asks the length only of what is binary.
private func sentBytes(_ start: UnsafePointer<CChar>, length: Int32, format: Int32) -> [UInt8] {
    if format == 0 { return Array(String(cString: start).utf8) }
    return Array(UnsafeRawBufferPointer(start: start, count: Int(length)))
}

func sent(_ value: SQLValue) throws -> SentParameter {
    try #require(try sent([value]).first)
}
