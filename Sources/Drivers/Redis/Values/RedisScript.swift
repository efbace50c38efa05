import Crypto

/// A Lua script that runs on the server as a whole, or not at all.
public struct RedisScript: Sendable, Hashable {
    public let text: String
    /// The SHA-1 of the text in lower case, by which the server knows the script.
    public let digest: String

    public init(_ text: String) {
        self.text = text
        digest = Insecure.SHA1.hash(data: Array(text.utf8)).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }

    /// - Parameter known: Whether the server is believed to know the script by its digest.
    func command(keys: [String], _ arguments: [RedisWord], known: Bool) -> [RedisWord] {
        let head: [RedisWord] = known ? ["EVALSHA", RedisWord(digest)] : ["EVAL", RedisWord(text)]
        return head + [RedisWord(keys.count)] + keys.map { RedisWord($0) } + arguments
    }
}
