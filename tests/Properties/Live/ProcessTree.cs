using System.Diagnostics;
using ShmCheck.Systems.Live;

namespace ShmCheck.Properties.Live;

/// <summary>Agents and what they have started, as /proc shows them.</summary>
internal static class ProcessTree
{
    private const int MostHops = 4;

    /// <summary>The status files of the processes of agents that a process has started, by pid.
    /// </summary>
    public static IEnumerable<(int Pid, string Status)> AgentsBelow(int ancestor) =>
        from directory in Directory.EnumerateDirectories("/proc")
        let name = Path.GetFileName(directory)
        where char.IsAsciiDigit(name[0])
        let status = Knob.Read(Path.Combine(directory, "status"))
        where status is not null
            && status.StartsWith("Name:\tagent-", StringComparison.Ordinal)
            && Descends(status, ancestor)
        select (int.Parse(name, null), status);

    /// <summary>Sends a signal.</summary>
    /// <param name="pid">To which process.</param>
    /// <param name="signal">Its name, such as <c>KILL</c>.</param>
    public static void Signal(int pid, string signal)
    {
        using Process kill = Process.Start("kill", [$"-{signal}", $"{pid}"]);
        kill.WaitForExit();
    }

    private static bool Descends(string status, int ancestor)
    {
        for (int hop = 0; hop < MostHops; hop++)
        {
            string parent = status.Split('\n').First(
                line => line.StartsWith("PPid:", StringComparison.Ordinal)).Split('\t')[1];
            if (parent == $"{ancestor}")
            {
                return true;
            }

            if (Knob.Read($"/proc/{parent}/status") is not { } next)
            {
                return false;
            }

            status = next;
        }

        return false;
    }
}
