import Foundation
import MartletSettings
import Testing

@Suite struct TheDotEnvFile {
    @Test(arguments: [
        ("JWT_ISSUER=plain", "plain"), ("export JWT_ISSUER=exported", "exported"), ("  JWT_ISSUER = spaced  ", "spaced"),
        ("JWT_ISSUER=\"a # b\" # comment", "a # b"), ("JWT_ISSUER='a \\n b'", "a \\n b"), ("JWT_ISSUER=a#b", "a#b"),
        ("JWT_ISSUER=a # b", "a"),
        ("JWT_ISSUER=\"say \\\"hi\\\"\"", "say \"hi\""), ("JWT_ISSUER=\"a\\x\\\\b\"", "a\\x\\b"), ("JWT_ISSUER=$HOME", "$HOME"),
        ("JWT_ISSUER=a=b", "a=b"),
        ("JWT_ISSUER=first\r\nJWT_ISSUER=last\r\n", "last"), ("\u{FEFF}JWT_ISSUER=marked", "marked"), ("# c\n\nJWT_ISSUER=after", "after"),
        ("JWT_ISSUER=", "martlet"), ("JWT_ISSUER=''", "martlet"), ("#JWT_ISSUER=commented", "martlet"), ("JWT_ISSUER=it's", "it's"),
    ])
    func isReadAsAShellWouldWithoutExpanding(text: String, value: String) throws {
        #expect(try WorkFolder([".env": text]).load().jwtIssuer == value)
    }

    @Test(arguments: ["novalue", "=x", "A-B=x", "1A=x", "JWT_ISSUER=\"open", "JWT_ISSUER='open", "JWT_ISSUER='a'b", "export", "Ä=x"])
    func aBrokenLineIsAFaultThatNamesItsNumberAndNotItsText(line: String) throws {
        let faults = try WorkFolder([".env": "# first\r\nPORT=1\n\(line)\n"]).faults()
        #expect(faults.map(\.name) == [".env line 3"])
        #expect(faults.first?.found == "a line that cannot be read")
    }

    @Test func bytesThatAreNoTextAreRefused() throws {
        let folder = try WorkFolder()
        try Data([0x41, 0x3D, 0xFF]).write(to: URL(filePath: "\(folder.path)/.env"))
        #expect(folder.faults().map(\.name) == [".env"])
    }

    @Test func aFolderInItsPlaceIsRefused() throws {
        let folder = try WorkFolder()
        try FileManager.default.createDirectory(atPath: "\(folder.path)/.env", withIntermediateDirectories: false)
        #expect(folder.faults().map(\.name) == [".env"])
    }
}
