namespace ShmCheck.Snapshots.Support;

/// <summary>A directory as if the source of the calling test were in it, for snapshots that are
/// to be looked at and thrown away.</summary>
internal sealed class TemporarySource : IDisposable
{
    private static readonly byte[] ByteOrderMark = [0xef, 0xbb, 0xbf];

    private readonly DirectoryInfo _directory =
        System.IO.Directory.CreateTempSubdirectory("shmcheck-snapshots-");

    /// <summary>The directory.</summary>
    public string Directory => _directory.FullName;

    /// <summary>Path of the source, which need not exist.</summary>
    public string Source => Path.Combine(Directory, "Source.cs");

    /// <summary>Names of the files there are, in order, with <c>/</c> before those in
    /// subdirectories.</summary>
    public IEnumerable<string> Files =>
        _directory.EnumerateFiles("*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Directory, file.FullName))
            .Order(StringComparer.Ordinal);

    /// <summary>Compares a text as a test whose source is here.</summary>
    public SettingsTask Verify(string? text) =>
        Verifier.Verify(text, settings: null, Source).DisableScrubbers().DisableDiff();

    /// <summary>Compares a text of an extension as a test whose source is here.</summary>
    public SettingsTask Verify(string? text, string extension) =>
        Verifier.Verify(text, extension, settings: null, Source).DisableScrubbers().DisableDiff();

    /// <summary>Compares a text with settings as a test whose source is here.</summary>
    public SettingsTask Verify(string? text, VerifySettings settings) =>
        Verifier.Verify(text, settings, Source).DisableScrubbers().DisableDiff();

    /// <summary>Compares a text that will not do, and tells the message.</summary>
    public static async Task<string> FailAsync(SettingsTask comparison) =>
        (await Assert.ThrowsAnyAsync<Exception>(comparison.ToTask)).Message;

    /// <summary>Writes a file without a byte order mark.</summary>
    public void Write(string name, string text) =>
        File.WriteAllText(Path.Combine(Directory, name), text);

    /// <summary>Bytes of a file.</summary>
    public byte[] Bytes(string name) => File.ReadAllBytes(Path.Combine(Directory, name));

    /// <summary>The bytes that Verify writes for a text.</summary>
    public static byte[] Written(string text) =>
        [.. ByteOrderMark, .. System.Text.Encoding.UTF8.GetBytes(text)];

    public void Dispose() => _directory.Delete(recursive: true);
}
