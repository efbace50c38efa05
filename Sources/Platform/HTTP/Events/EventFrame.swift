import MartletContract
import NIOCore

/// An event as it is sent: encoded once, however many listeners it has.
public struct EventFrame: Sendable {
    let bytes: ByteBuffer

    /// Encodes an event's data, which must be what the endpoint declares.
    ///
    /// - Parameter id: What a listener who comes back names as the last event received; `nil` leaves that as it was.
    /// - Throws: ``UnsendableEventID`` for an identifier that would break the stream, and what `WireJSON.encode` throws.
    public static func encode(id: String?, _ data: some Encodable) throws -> EventFrame {
        var bytes = ByteBuffer()
        if let id {
            guard !id.utf8.contains(where: { $0 == 0x00 || $0 == 0x0A || $0 == 0x0D }) else { throw UnsendableEventID() }
            bytes.writeString("id: \(id)\n")
        }
        bytes.writeStaticString("data: ")
        // Our JSON has no line breaks: the data is one line.
        bytes.writeBytes(try WireJSON.encode(data))
        bytes.writeStaticString("\n\n")
        return EventFrame(bytes: bytes)
    }

    /// A comment, which clients ignore; it shows both sides, and the proxies between, that the connection lives.
    static let heartbeat = EventFrame(bytes: ByteBuffer(string: ":\n\n"))
}

/// An identifier of an event holds a line break or a NUL.
public struct UnsendableEventID: Error {}
