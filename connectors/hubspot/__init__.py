"""HubSpot as a CRM port."""
