import NIOCore

/// Commands as servers take them: arrays of bulk strings.
enum RESPEncoder {
    static func encode(_ commands: [[RedisWord]]) -> ByteBuffer {
        let size = commands.reduce(0) { $1.reduce($0 + 16) { $0 + $1.bytes.count + 16 } }
        var buffer = ByteBufferAllocator().buffer(capacity: size)
        for words in commands { write(words, into: &buffer) }
        return buffer
    }

    private static func write(_ words: [RedisWord], into buffer: inout ByteBuffer) {
        buffer.writeString("*\(words.count)\r\n")
        for word in words {
            buffer.writeString("$\(word.bytes.count)\r\n")
            buffer.writeBytes(word.bytes)
            buffer.writeString("\r\n")
        }
    }
}
