import CQRCode
import Foundation

/// Texts as QR codes (ISO/IEC 18004), by libqrencode.
enum QRCode {
    /// An SVG image with the quiet zone of 4 modules around it. Throws for texts of more than 2,331 bytes, which no code of this level holds.
    static func svg(of text: String) throws -> String {
        let rows = try modules(of: text)
        let side = rows.count + 2 * quietZone
        let path = rows.enumerated().flatMap { y, row in
            row.enumerated().filter(\.element).map { x, _ in "M\(x + quietZone) \(y + quietZone)h1v1h-1z" }
        }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(side) \(side)" shape-rendering="crispEdges">\
            <rect width="\(side)" height="\(side)" fill="#fff"/><path d="\(path.joined())" fill="#000"/></svg>
            """
    }

    private static let quietZone = 4

    /// The rows from the top; dark modules are `true`.
    private static func modules(of text: String) throws -> [[Bool]] {
        let bytes = Array(text.utf8)
        guard let code = QRcode_encodeData(Int32(bytes.count), bytes, 0, QR_ECLEVEL_M) else { throw QRFailure(code: errno) }
        defer { QRcode_free(code) }
        let width = Int(code.pointee.width)
        return (0..<width).map { y in (0..<width).map { x in code.pointee.data[y * width + x] & 1 == 1 } }
    }
}

private struct QRFailure: Error, CustomStringConvertible {
    let code: Int32
    var description: String { "QR code: \(String(cString: strerror(code)))" }
}
