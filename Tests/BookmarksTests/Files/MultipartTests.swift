import MartletHTTP
import Testing

@Suite struct AMultipartBody {
    private static let contentType = "multipart/form-data; boundary=X"

    @Test func yieldsItsPartsAsSlices() throws {
        let form = try parse(
            "preamble\r\n--X\r\nContent-Disposition: form-data; name=\"mode\"\r\n\r\nmerge\r\n--X \t\r\n"
                + "content-disposition: Form-Data; name=file; filename=\"my \\\"file\\\" C:\\x.html\"\r\n"
                + "Content-Type: Text/HTML; charset=utf-8\r\nX-Other: y\r\n\r\n"
                + "<a>\r\n--Xylophone\r\n--\r\n\r\n--X--\r\nepilogue --X")
        #expect(form.parts.map(\.name) == ["mode", "file"])
        #expect(form.part(named: "mode")?.body.elementsEqual("merge".utf8) == true)
        let file = try #require(form.part(named: "file"))
        #expect(file.filename == "my \"file\" C:\\x.html" && file.contentType == "text/html")
        #expect(String(decoding: file.body, as: UTF8.self) == "<a>\r\n--Xylophone\r\n--\r\n")
        #expect(form.part(named: "none") == nil)
    }

    @Test func mayHaveEmptyParts() throws {
        let form = try parse("--X\r\nContent-Disposition: form-data; name=\"\"\r\n\r\n\r\n--X--")
        #expect(form.parts.count == 1 && form.parts[0].body.isEmpty && form.parts[0].name == "" && form.parts[0].contentType == nil)
    }

    @Test(arguments: [
        "multipart/form-data; boundary=\"a b'c\"", "Multipart/Form-Data;charset=utf-8;BOUNDARY=\"a b'c\"",
        "multipart/form-data ; boundary=\"a b'c\";",
    ])
    func mayHaveAQuotedBoundary(_ contentType: String) throws {
        let form = try parse("--a b'c\r\nContent-Disposition: form-data; name=n\r\n\r\nv\r\n--a b'c--\r\n", contentType)
        #expect(form.parts.map(\.name) == ["n"])
    }

    @Test(arguments: [
        ("", Multipart.Malformed.notFormData), ("text/plain", .notFormData), ("multipart/mixed; boundary=X", .notFormData),
        ("multipart/form-data", .noBoundary), ("multipart/form-data; boundary=", .notFormData),
        ("multipart/form-data; boundary=\"\"", .invalidBoundary),
        ("multipart/form-data; boundary=\"X", .notFormData), ("multipart/form-data; boundary=\"X \"", .invalidBoundary),
        ("multipart/form-data; boundary=a\r\nb", .invalidBoundary), ("multipart/form-data; boundary=X; boundary=Y", .invalidBoundary),
        ("multipart/form-data; boundary=\(String(repeating: "x", count: 71))", .invalidBoundary),
    ])
    func needsAContentTypeWithABoundary(_ contentType: String, _ fault: Multipart.Malformed) {
        #expect(throws: fault) { try parse("--X\r\nContent-Disposition: form-data; name=n\r\n\r\n\r\n--X--", contentType) }
    }

    @Test(arguments: [
        ("", Multipart.Malformed.noParts), ("garbage", .noParts), ("--X--\r\n", .noParts), ("--Y\r\n\r\n--Y--", .noParts),
        ("--X", .noParts),
        ("--X\r\n", .cutOff), ("--X\r\nContent-Disposition: form-data; name=n", .cutOff),
        ("--X\r\nContent-Disposition: form-data; name=n\r\n\r\nbody", .cutOff),
        ("--X\r\nContent-Disposition: form-data; name=n\r\n\r\nbody\r\n--X", .cutOff),
        ("--X\r\n\r\nbody\r\n--X--", .unnamedPart), ("--X\r\nContent-Disposition: form-data\r\n\r\n\r\n--X--", .unnamedPart),
        ("--X\r\nContent-Disposition: attachment; name=n\r\n\r\n\r\n--X--", .unnamedPart),
        ("--X\r\nContent-Disposition: form-data; name=n; name=m\r\n\r\n\r\n--X--", .malformedHeader),
        ("--X\r\nContent-Disposition: form-data; name=\"n\r\n\r\n\r\n--X--", .malformedHeader),
        ("--X\r\nno colon\r\n\r\n\r\n--X--", .malformedHeader), ("--X\r\nBad Name: x\r\n\r\n\r\n--X--", .malformedHeader),
        ("--X\r\nA: b\n\r\n\r\n--X--", .malformedHeader),
        ("--X\r\nA: \u{0}\r\n\r\n\r\n--X--", .malformedHeader),
        ("--X\r\nContent-Disposition: form-data; name=n\r\nContent-Type: multipart/mixed; boundary=Y\r\n\r\n--Y--\r\n--X--", .nested),
    ])
    func isRefusedWithItsFault(_ body: String, _ fault: Multipart.Malformed) {
        #expect(throws: fault) { try parse(body) }
    }

    @Test func isBoundedInPartsAndHeaders() throws {
        let part = "--X\r\nContent-Disposition: form-data; name=n\r\n\r\nv\r\n"
        #expect(try parse(String(repeating: part, count: 16) + "--X--").parts.count == 16)
        #expect(throws: Multipart.Malformed.tooManyParts) { try parse(String(repeating: part, count: 17) + "--X--") }
        let padding = "A: " + String(repeating: "x", count: Multipart.maximumHeaderBytes) + "\r\n"
        #expect(throws: Multipart.Malformed.headersTooLarge) { try parse("--X\r\n\(padding)\r\nv\r\n--X--") }
        #expect(throws: Multipart.Malformed.headersTooLarge) {
            try parse("--X\r\n" + String(repeating: "A: b\r\n", count: 2_000) + "\r\nv\r\n--X--")
        }
    }

    @Test func isCutOffOrWholeWhereverItEnds() throws {
        let whole = Array("--X\r\nContent-Disposition: form-data; name=n\r\n\r\nbody\r\n--X--".utf8)
        for length in 0..<whole.count {
            #expect(throws: Multipart.Malformed.self) { try Multipart(whole[..<length], contentType: Self.contentType) }
        }
        #expect(try Multipart(whole, contentType: Self.contentType).parts.count == 1)
    }

    @Test func hasASentenceForEveryFault() {
        #expect(Multipart.Malformed.allCases.allSatisfy { $0.message.hasSuffix(".") })
    }

    private func parse(_ body: String, _ contentType: String = contentType) throws -> Multipart {
        // A slice that does not begin at zero, as bodies cut from a buffer are.
        let bytes = Array("??".utf8) + Array(body.utf8)
        return try Multipart(bytes[2...], contentType: contentType)
    }
}
