using System.Diagnostics;
using System.Globalization;

namespace ShmCheck.Bench.Harness;

/// <summary>SPIN on bench/promela/shm.pml.</summary>
/// <param name="Processes">Processes alive at once.</param>
/// <param name="Segments">Segments that exist at once.</param>
/// <param name="Flags">Flags that its verifier is compiled with.</param>
internal sealed record Spin(int Processes, int Segments, params string[] Flags)
{
    /// <summary>Counts the model; takes SPIN's own word for the time.</summary>
    public Exploration Run()
    {
        string script = Path.Combine(Repository(), "bench", "promela", "count.sh");
        var start = new ProcessStartInfo("bash")
        {
            RedirectStandardOutput = true,
            ArgumentList = { script, $"{Processes}", $"{Segments}" },
        };
        foreach (string flag in Flags)
        {
            start.ArgumentList.Add(flag);
        }

        using Process process = Process.Start(start)!;
        string[] words = process.StandardOutput.ReadToEnd().Split(
            ' ', StringSplitOptions.TrimEntries);
        process.WaitForExit();
        return process.ExitCode != 0
            ? throw new InvalidOperationException("bench/promela/count.sh failed; needs spin, cc")
            : new Exploration(
                Long(words[0]), Long(words[1]),
                TimeSpan.FromSeconds(double.Parse(words[2], CultureInfo.InvariantCulture)),
                Long(words[3]) << 10);
    }

    private static long Long(string word) => long.Parse(word, CultureInfo.InvariantCulture);

    private static string Repository()
    {
        string? at = AppContext.BaseDirectory;
        while (at is not null && !File.Exists(Path.Combine(at, "ShmCheck.sln")))
        {
            at = Path.GetDirectoryName(at);
        }

        return at ?? throw new InvalidOperationException("not run from within the repository");
    }
}
