/// Bytes read from the front, never beyond their end.
struct WireReader {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    var remaining: Int { bytes.count - position }

    /// The next integer, most significant byte first; `nil` when there are too few bytes.
    mutating func next<Integer: FixedWidthInteger & BitwiseCopyable>(_: Integer.Type) -> Integer? {
        guard MemoryLayout<Integer>.size <= remaining else { return nil }
        defer { position += MemoryLayout<Integer>.size }
        return Integer(bigEndian: bytes.loadUnaligned(fromByteOffset: position, as: Integer.self))
    }

    /// The next `count` bytes; `nil` when there are not so many.
    mutating func next(count: Int) -> UnsafeRawBufferPointer? {
        guard 0...remaining ~= count else { return nil }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }
}

extension [UInt8] {
    /// Appends the most significant byte first.
    mutating func append(bigEndian integer: some FixedWidthInteger & BitwiseCopyable) {
        Swift.withUnsafeBytes(of: integer.bigEndian) { append(contentsOf: $0) }
    }
}
