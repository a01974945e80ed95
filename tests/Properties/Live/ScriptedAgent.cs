using ShmCheck.Systems.Live;

namespace ShmCheck.Properties.Live;

/// <summary>Programs that speak the agent protocol badly.</summary>
internal static class ScriptedAgent
{
    public const string Greeting = "echo shmcheck-agent 1 page 4096";

    /// <summary>Starts a shell script as an agent.</summary>
    public static AgentProcess Start(string script, int limitMilliseconds = 5000) =>
        AgentProcess.Start(["sh", "-c", script], TimeSpan.FromMilliseconds(limitMilliseconds));
}
