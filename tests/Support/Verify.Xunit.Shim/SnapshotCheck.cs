using System.Text;

namespace VerifyTests;

/// <summary>One comparison of a text with its snapshot.</summary>
internal sealed class SnapshotCheck(SnapshotPaths paths, VerifySettings settings)
{
    // With a byte order mark, and refusing what is not text.
    private static readonly UTF8Encoding Encoding = new(true, true);

    /// <summary>Compares; accepts what is received where the settings say so.</summary>
    /// <exception cref="VerifyException">The text is not the snapshot, or there are snapshots that
    /// belong to nothing.</exception>
    public async Task<VerifyResult> RunAsync(string target, string extension)
    {
        string received = FixLineEnds(target);
        string receivedPath = paths.ReceivedOf(extension);
        string verifiedPath = paths.VerifiedOf(extension);
        List<string> stale = [.. paths.Verified.Where(path => path != verifiedPath)];
        string? verified = await ReadVerifiedAsync(verifiedPath, received);
        bool isEqual = verified == received;
        if (!isEqual)
        {
            await File.WriteAllTextAsync(receivedPath, received, Encoding);
        }

        if (isEqual && stale.Count == 0)
        {
            return new VerifyResult(verifiedPath);
        }

        MismatchMessage message = new(
            paths.Directory, Path.GetFileName(receivedPath), Path.GetFileName(verifiedPath));
        string text = message.Of(received, verified, stale);
        if (settings.Accepts)
        {
            Accept(isEqual ? null : receivedPath, verifiedPath, stale);
        }

        return settings.Accepts && !settings.ThrowsWhenAccepting
            ? new VerifyResult(verifiedPath)
            : throw new VerifyException(text);
    }

    // A snapshot of no bytes is none: a tool may have made it to have something to show. One
    // newline too many at the end is overlooked: editors add it.
    private static async Task<string?> ReadVerifiedAsync(string path, string received)
    {
        if (File.Exists(path) && new FileInfo(path).Length == 0)
        {
            File.Delete(path);
        }

        if (!File.Exists(path))
        {
            return null;
        }

        string text = FixLineEnds(await File.ReadAllTextAsync(path));
        return text.Length == received.Length + 1 && text.EndsWith('\n') ? text[..^1] : text;
    }

    private static string FixLineEnds(string text) =>
        text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');

    private static void Accept(string? receivedPath, string verifiedPath, List<string> stale)
    {
        stale.ForEach(File.Delete);
        if (receivedPath is not null)
        {
            File.Move(receivedPath, verifiedPath, overwrite: true);
        }
    }
}
