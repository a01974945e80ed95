using System.Globalization;

namespace ShmCheck.Systems.Live;

/// <summary>Only one process at a time turns the knobs of a machine, and none while others need them
/// as they are.</summary>
internal sealed class MachineLock : IDisposable
{
    private readonly FileStream _file;

    private MachineLock(FileStream file) => _file = file;

    /// <summary>Takes the lock; waits while another process has it.</summary>
    /// <param name="path">The lock file.</param>
    /// <param name="patience">How long to wait.</param>
    /// <exception cref="SystemUnavailableException">Another process keeps it.</exception>
    public static MachineLock Take(string path, TimeSpan patience) =>
        Await(path, patience, FileAccess.ReadWrite, FileShare.None);

    /// <summary>Takes the lock for who needs the knobs as they are, together with others who do;
    /// waits while a process has it that turns them.</summary>
    /// <inheritdoc cref="Take" path="/param|/exception"/>
    public static MachineLock Share(string path, TimeSpan patience) =>
        Await(path, patience, FileAccess.Read, FileShare.Read);

    /// <summary>Pid of the process that has the lock; null when it is free.</summary>
    public static string? HolderOf(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            using var file = new FileStream(
                path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return null;
        }
        catch (IOException)
        {
            return Knob.Read(path + ".holder") ?? "unknown";
        }
        catch (UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static MachineLock Await(
        string path, TimeSpan patience, FileAccess access, FileShare share)
    {
        long deadline = Environment.TickCount64 + (long)patience.TotalMilliseconds;
        while (true)
        {
            try
            {
                return Open(path, access, share);
            }
            catch (IOException) when (Environment.TickCount64 < deadline)
            {
                Thread.Sleep(100);
            }
            catch (IOException problem)
            {
                throw new SystemUnavailableException(
                    $"another process{Holder(path)} uses this machine, and keeps "
                    + $"{path} locked: {problem.Message}");
            }
            catch (UnauthorizedAccessException problem)
            {
                throw new SystemUnavailableException(problem.Message);
            }
        }
    }

    private static MachineLock Open(string path, FileAccess access, FileShare share)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var taken = new MachineLock(new FileStream(path, FileMode.OpenOrCreate, access, share));
        try
        {
            WriteHolder(path);
            return taken;
        }
        catch
        {
            taken.Dispose();
            throw;
        }
    }

    // Beside the lock: while it is held, the file itself cannot be read.
    private static void WriteHolder(string path) => File.WriteAllText(
        path + ".holder", Environment.ProcessId.ToString(CultureInfo.InvariantCulture));

    private static string Holder(string path) =>
        Knob.Read(path + ".holder") is { Length: > 0 } pid ? $" (pid {pid})" : "";
}
